import { openStorage } from '../src/backends/open-storage.ts';
import type { Storage } from '../src/core/storage.ts';
import { ids, runtime } from './new-jobs.ts';
import { JOB_NAME } from './workload.ts';

export function openBenchStorage(url: string): Promise<Storage> {
  return openStorage(url, { runtime, durability: 'strict', migrate: 'auto' });
}

/** Claims `limit` jobs, of which there are as many, then settles them. Resolves with the duration of the claim, milliseconds. */
export async function claimBatch(storage: Storage, limit: number): Promise<number> {
  const leaseToken = ids.next();
  const startedAt = performance.now();
  const { jobs } = await storage.claim({ workerId: 'bench', leaseToken, names: [JOB_NAME], limit, leaseMs: 15_000 });
  const durationMs = performance.now() - startedAt;
  if (jobs.length !== limit) throw new Error(`${jobs.length} jobs were claimed, not ${limit}`);
  await storage.settle({
    settlements: jobs.map(({ id, attempt }) => ({
      lease: { jobId: id, attempt, token: leaseToken },
      outcome: { kind: 'success', result: null },
    })),
  });
  return durationMs;
}
