import { describe, expect, it, onTestFinished } from 'vitest';
import { Reseolio } from '../../../src/index.ts';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { GrpcClient, type Subscription } from '../../server/grpc-client.ts';
import { startServe } from './server-process.ts';

const SAMPLES = 200;
const MAX_P95_MS = 20;

async function startTarget() {
  const storage = `lmdb://${temporaryDirectory()}`;
  const { address } = await startServe(storage);
  const client = new GrpcClient({ address });
  onTestFinished(() => client.close());
  return { storage, client, subscription: client.subscribe() };
}

/** When each completion came, by job. */
function noteArrivals(subscription: Subscription): Map<string, number> {
  const arrivals = new Map<string, number>();
  subscription.onCompletion(({ jobId }) => void arrivals.set(jobId, performance.now()));
  return arrivals;
}

/** `storedAt` is when somebody was told that the outcome is stored: it was a little earlier. */
function p95Of(storedAt: ReadonlyMap<string, number>, arrivals: ReadonlyMap<string, number>): number {
  const latencies = [...storedAt].map(([jobId, at]) => (arrivals.get(jobId) ?? Number.POSITIVE_INFINITY) - at);
  return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.95)] as number;
}

describe('a result is pushed within 20 ms of its being stored (p95)', () => {
  it('when a remote worker ended the job', async () => {
    const { client, subscription } = await startTarget();
    const [arrivals, storedAt] = [noteArrivals(subscription), new Map<string, number>()];
    const worker = client.work('w', ['f'], 1);
    for (let i = 1; i <= SAMPLES; i++) {
      const jobId = await client.enqueue('f');
      subscription.add(jobId);
      await worker.jobs.next();
      await worker.succeed(jobId, i);
      storedAt.set(jobId, performance.now());
      await subscription.completions.reach(i);
    }
    expect(p95Of(storedAt, arrivals)).toBeLessThan(MAX_P95_MS);
  });

  it('when another process ended the job', async () => {
    const { storage, client, subscription } = await startTarget();
    const [arrivals, storedAt] = [noteArrivals(subscription), new Map<string, number>()];
    const library = new Reseolio({ storage, workerConcurrency: 1 });
    onTestFinished(() => library.stop());
    library.on('job:success', ({ jobId }) => void storedAt.set(jobId, performance.now()));
    library.durable('f', async () => 'done');
    await library.start();
    for (let i = 1; i <= SAMPLES; i++) {
      subscription.add(await client.enqueue('f'));
      await subscription.completions.reach(i);
    }
    expect(p95Of(storedAt, arrivals)).toBeLessThan(MAX_P95_MS);
  });

  it('when the job was cancelled, or is one that ended before', async () => {
    const { client, subscription } = await startTarget();
    const [arrivals, storedAt] = [noteArrivals(subscription), new Map<string, number>()];
    const again = client.subscribe();
    const [arrivalsAgain, askedAt] = [noteArrivals(again), new Map<string, number>()];
    for (let i = 1; i <= SAMPLES; i++) {
      const request = { name: 'f', idempotencyKey: `key-${i}` };
      const { jobId } = await client.call('EnqueueJob', request);
      subscription.add(jobId);
      await client.call('CancelJob', { jobId });
      storedAt.set(jobId, performance.now());
      await subscription.completions.reach(i);
      expect(await client.call('EnqueueJob', request)).toEqual({ jobId, deduplicated: true });
      askedAt.set(jobId, performance.now());
      again.add(jobId);
      await again.completions.reach(i);
    }
    expect(p95Of(storedAt, arrivals)).toBeLessThan(MAX_P95_MS);
    expect(p95Of(askedAt, arrivalsAgain)).toBeLessThan(MAX_P95_MS);
  });
});
