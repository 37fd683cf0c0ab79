import { describe, expect, it } from 'vitest';
import { currentJob, type DurableFunction } from '../../src/index.ts';
import { type GrpcClient, type PollConnection, parse } from './grpc-client.ts';
import { connect, lmdbUrl, open, serve, startClient } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

interface ParentOfRemote {
  readonly client: GrpcClient;
  /** Takes the jobs of `double`. */
  readonly worker: PollConnection;
  /** Calls `double` and awaits it, in TypeScript. */
  readonly parent: DurableFunction<[number], number>;
}

/** A TypeScript parent, and a remote worker that alone runs its children. */
async function startParentOfRemote(): Promise<ParentOfRemote> {
  const url = lmdbUrl();
  const client = connect(await serve({ storage: url }));
  const storage = await open(url);
  const caller = await startClient({ storage, workerConcurrency: 0 });
  const double = caller.durable('double', (n: number) => n);
  const library = await startClient({ storage });
  const parent = library.durable('parent', async (n: number) => (await double(n)).result());
  return { client, worker: client.work('w', ['double']), parent };
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

  it('can be one that no TypeScript process has a handler for', async () => {
    const storage = lmdbUrl();
    const worker = connect(await serve({ storage })).work('w', ['double']);
    const remote = await startClient({ storage, workerConcurrency: 0 });
    const double = remote.durable('double', (n: number) => n);
    const library = await startClient({ storage, suspendAfterMs: 0 });
    const parent = library.durable('parent', async (n: number) => {
      const { jobId } = await double(n, { idempotencyKey: `double:${currentJob().id}` });
      return library.getHandle<number>(jobId).result();
    });
    const handle = await parent(21);
    const { id } = await worker.jobs.next();
    await expect.poll(async () => (await handle.details()).isSuspended, { timeout: 5000 }).toBe(true);
    await worker.succeed(id, 42);
    expect(await handle.result()).toBe(42);
    expect((await library.listJobs({ names: ['double'] })).total).toBe(1);
  });
});
