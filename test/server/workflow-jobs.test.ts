import { describe, expect, it } from 'vitest';
import type { DurableFunction, Reseolio, ReseolioOptions } from '../../src/index.ts';
import { type GrpcClient, type PollConnection, parse } from './grpc-client.ts';
import { connect, lmdbUrl, serve, startClient } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

interface ParentOfRemote {
  readonly client: GrpcClient;
  readonly library: Reseolio;
  /** Takes the jobs of `double`. */
  readonly worker: PollConnection;
  /** Calls `double` and awaits it, in TypeScript. */
  readonly parent: DurableFunction<[number], number>;
}

/** A TypeScript parent, and a remote worker that alone runs its children. */
async function startParentOfRemote(options: ReseolioOptions = {}): Promise<ParentOfRemote> {
  const storage = lmdbUrl();
  const client = connect(await serve({ storage }));
  const library = await startClient({ storage, ...options });
  const double = library.remote<[number], number>('double');
  const parent = library.durable('parent', async (n: number) => (await double(n)).result());
  return { client, library, worker: client.work('w', ['double']), parent };
}

describe('a job that a TypeScript handler calls', () => {
  it('is run by a remote worker, and its result goes to the handler', async () => {
    const { worker, parent } = await startParentOfRemote();
    const handle = await parent(21);
    const { id, args } = await worker.jobs.next();
    expect(parse(args)).toEqual([21]);
    await worker.succeed(id, 42);
    expect(await handle.result()).toBe(42);
    expect(id).not.toBe(handle.jobId);
  });

  it('is taken from the remote worker when its parent is cancelled', async () => {
    const { client, worker, parent } = await startParentOfRemote();
    const handle = await parent(21);
    const { id } = await worker.jobs.next();
    expect(await handle.cancel({ running: true })).toBe(true);
    await expect.poll(() => client.statusOf(id), { timeout: 5000 }).toBe(JOB.cancelled);
    await expect(worker.succeed(id, 42)).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    await expect.poll(() => client.statusOf(handle.jobId), { timeout: 5000 }).toBe(JOB.cancelled);
  });

  it('wakes its parent, which was suspended meanwhile', async () => {
    const { library, worker, parent } = await startParentOfRemote({ suspendAfterMs: 0 });
    const handle = await parent(21);
    const { id } = await worker.jobs.next();
    await expect.poll(async () => (await handle.details()).isSuspended, { timeout: 5000 }).toBe(true);
    await worker.succeed(id, 42);
    expect(await handle.result()).toBe(42);
    const { jobs } = await library.listJobs({ parentId: handle.jobId });
    expect(jobs.map((job) => job.id)).toEqual([id]);
  });

  it('is cancelled with its parent over the wire', async () => {
    const { client, worker, parent } = await startParentOfRemote({ suspendAfterMs: 0 });
    const handle = await parent(21);
    const { id } = await worker.jobs.next();
    await expect.poll(async () => (await handle.details()).isSuspended, { timeout: 5000 }).toBe(true);
    await client.call('CancelJob', { jobId: handle.jobId });
    await expect.poll(() => client.statusOf(id), { timeout: 5000 }).toBe(JOB.cancelled);
  });
});
