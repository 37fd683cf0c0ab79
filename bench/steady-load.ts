import { setTimeout } from 'node:timers/promises';
import type { Storage } from '../src/core/storage.ts';
import { claimBatch } from './claim-batch.ts';
import { newJobs } from './new-jobs.ts';
import { median } from './statistics.ts';

const TICK_MS = 10;
const TICK_JOBS = 10;
const SPAN_MS = 1000;

export interface SteadyLoadResult {
  /** The median claim of each second at the end, milliseconds. */
  readonly claimMs: readonly number[];
  /** What was reached of the thousand. */
  readonly jobsPerSecond: number;
}

/**
 * Enqueues, claims and settles a thousand jobs a second for `durationMs`, in batches of 10 every 10 ms. The claims of the
 * last `sampledMs`, whole seconds, are told.
 */
export async function runSteadyLoad(
  storage: Storage,
  durationMs: number,
  sampledMs: number,
): Promise<SteadyLoadResult> {
  const startedAt = performance.now();
  const spans: number[][] = Array.from({ length: sampledMs / SPAN_MS }, () => []);
  let ticks = 0;
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - startedAt) {
    await storage.enqueue({ jobs: newJobs(TICK_JOBS) });
    const claimMs = await claimBatch(storage, TICK_JOBS);
    spans[Math.floor((elapsed - (durationMs - sampledMs)) / SPAN_MS)]?.push(claimMs);
    ticks++;
    await setTimeout(Math.max(0, startedAt + ticks * TICK_MS - performance.now()));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { claimMs: spans.map(median), jobsPerSecond: (ticks * TICK_JOBS) / seconds };
}
