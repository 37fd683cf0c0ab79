import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import type { JobState } from '../../../src/core/job.ts';
import type { NewJob, Storage } from '../../../src/core/storage.ts';
import { freshSchema, open, serverUrl, urlWith } from '../../postgres/postgres-fixture.ts';
import { ids, newJob } from '../../processes/new-job.ts';
import { within } from './crash-run.ts';

const ROUNDS = 10;
const BOUND_MS = 5000;
const UNAVAILABLE = { code: 'storage_unavailable' };
const CUTS = [
  { when: 'before', isForwarded: false },
  { when: 'after', isForwarded: true },
] as const;

let proxy: TcpProxy;
let storage: Storage;
/** The same, past the proxy. */
let direct: Storage;

beforeEach(async () => {
  const schema = freshSchema();
  proxy = await TcpProxy.start({ targetPort: Number(new URL(serverUrl).port) });
  storage = await open(`postgres://postgres@127.0.0.1:${proxy.port}/postgres?schema=${schema}&timeoutMs=${BOUND_MS}`);
  direct = await open(urlWith({ schema }));
  onTestFinished(() => proxy.stop());
});

/** Cuts the connection over which the next call of a statement goes, before or after the server has it. */
function cutNext(statement: string, isForwarded: boolean): Promise<void> {
  return proxy.cutAfter({ direction: 'toServer', matches: (chunk) => chunk.includes(`_${statement}\0`), isForwarded });
}

async function total(): Promise<number> {
  const counts = await direct.counts();
  return counts.reduce((sum, { pending, running, success, dead }) => sum + pending + running + success + dead, 0);
}

async function stateOf({ id }: NewJob): Promise<JobState | undefined> {
  const [record] = await direct.getJobs({ jobIds: [id] });
  return record?.state;
}

async function claimOne(leaseToken: string, leaseMs = 60_000): Promise<string[]> {
  const params = { workerId: 'w', leaseToken, names: ['test:job'], limit: 1, leaseMs };
  return (await storage.claim(params)).jobs.map(({ id }) => id);
}

describe.each(CUTS)('a connection that is cut $when the server has the message', ({ isForwarded }) => {
  it('makes an enqueue wait a little, and one job of it', async () => {
    await storage.enqueue({ jobs: [newJob()] });
    for (let round = 1; round <= ROUNDS; round++) {
      const job = newJob({ idempotencyKey: round % 2 === 0 ? `key ${round}` : null });
      const cut = cutNext('enqueue_job', isForwarded);
      const enqueued = within(BOUND_MS, 'the enqueue', storage.enqueue({ jobs: [job] }));
      await cut;
      expect(await enqueued).toEqual([{ jobId: job.id, deduplicated: false }]);
      expect(await storage.enqueue({ jobs: [job] })).toEqual([{ jobId: job.id, deduplicated: false }]);
      expect(await total()).toBe(1 + round);
    }
  });

  it('makes batches of many callers that went together wait a little, and one job of each', async () => {
    await storage.enqueue({ jobs: [newJob()] });
    const known: NewJob[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const batches = Array.from({ length: 10 }, () => [newJob(), newJob()]);
      const cut = cutNext('enqueue_jobs', isForwarded);
      const enqueued = Promise.all(batches.map((jobs) => storage.enqueue({ jobs })));
      await cut;
      expect((await within(BOUND_MS, 'the enqueues', enqueued)).flat().map(({ jobId }) => jobId)).toEqual(
        batches.flat().map(({ id }) => id),
      );
      known.push(...batches.flat());
      expect(await total()).toBe(1 + known.length);
    }
    expect((await direct.getJobs({ jobIds: known.map(({ id }) => id) })).includes(null)).toBe(false);
  });

  it('makes a settle reject, and the same again settled once', async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const job = newJob();
      await storage.enqueue({ jobs: [job] });
      const token = ids.next();
      expect(await claimOne(token)).toEqual([job.id]);
      const error = { name: 'Error', message: 'once', stack: null };
      const lease = { jobId: job.id, attempt: 1, token };
      const settlements = [{ lease, outcome: { kind: 'retry', error, delayMs: 600_000 } }] as const;
      const cut = cutNext('settle', isForwarded);
      const settled = expect(within(BOUND_MS, 'the settle', storage.settle({ settlements }))).rejects;
      await Promise.all([cut, settled.toMatchObject(UNAVAILABLE)]);
      const again = [{ status: 'settled', state: 'pending', runAt: expect.any(Number) }];
      expect(await storage.settle({ settlements })).toEqual(again);
      expect(await storage.settle({ settlements })).toEqual(again);
      expect(await direct.getAttempts({ jobId: job.id })).toHaveLength(1);
    }
  });

  it('makes a claim reject, and the same again hand over the jobs once', async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const job = newJob();
      await storage.enqueue({ jobs: [job] });
      const token = ids.next();
      const cut = cutNext('claim', isForwarded);
      const claimed = expect(within(BOUND_MS, 'the claim', claimOne(token))).rejects;
      await Promise.all([cut, claimed.toMatchObject(UNAVAILABLE)]);
      // The claimer waits before it tries again. A claim that still runs on the server then keeps its jobs for a lease.
      if (isForwarded) await expect.poll(() => stateOf(job)).toBe('running');
      expect(await claimOne(token)).toEqual([job.id]);
      expect(await claimOne(ids.next())).toEqual([]);
      expect(await direct.getJobs({ jobIds: [job.id] })).toMatchObject([{ state: 'running', attempt: 1 }]);
    }
  });

  it('makes a cancel wait a little, and a job that is cancelled', async () => {
    await storage.cancel({ jobIds: [ids.next()], isRunningIncluded: false });
    for (let round = 1; round <= ROUNDS; round++) {
      const job = newJob();
      await storage.enqueue({ jobs: [job] });
      const cut = cutNext('cancel', isForwarded);
      const cancelled = within(BOUND_MS, 'the cancel', storage.cancel({ jobIds: [job.id], isRunningIncluded: false }));
      await cut;
      // Where the first try took effect, the second finds the job cancelled already.
      expect(await cancelled).toMatchObject([{ state: 'cancelled' }]);
      expect(await direct.getJobs({ jobIds: [job.id] })).toMatchObject([{ state: 'cancelled' }]);
    }
  });

  it('makes a reclaim reject, with each job taken back once', async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const job = newJob();
      await storage.enqueue({ jobs: [job] });
      expect(await claimOne(ids.next(), 1)).toEqual([job.id]);
      await expect.poll(async () => (await direct.reclaimExpired({ limit: 0 })).nextExpiryInMs).toBe(0);
      const cut = cutNext('reclaim_expired', isForwarded);
      const reclaimed = expect(within(BOUND_MS, 'the reclaim', storage.reclaimExpired({ limit: 10 }))).rejects;
      await Promise.all([cut, reclaimed.toMatchObject(UNAVAILABLE)]);
      await storage.reclaimExpired({ limit: 10 });
      // What the first try took back, the second passed over, and need not be committed yet.
      await expect.poll(() => stateOf(job)).toBe('pending');
      expect(await direct.getAttempts({ jobId: job.id })).toMatchObject([{ attempt: 1, outcome: 'lost' }]);
      await storage.cancel({ jobIds: [job.id], isRunningIncluded: false });
    }
  });
});
