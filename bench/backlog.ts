import type { Storage } from '../src/core/storage.ts';
import { claimBatch, openBenchStorage } from './claim-batch.ts';
import { newJobs } from './new-jobs.ts';
import { median } from './statistics.ts';

const BATCH_JOBS = 10_000;
const CLAIMED_JOBS = 100;

/** A storage in which always the same number of jobs waits. */
export class Backlog {
  readonly #storage: Storage;

  static async build(url: string, jobs: number): Promise<Backlog> {
    const storage = await openBenchStorage(url);
    for (let left = jobs; left > 0; left -= BATCH_JOBS) {
      await storage.enqueue({ jobs: newJobs(Math.min(left, BATCH_JOBS)) });
    }
    await storage.close();
    // As a worker finds it that has nothing to do with how the backlog came about.
    return new Backlog(await openBenchStorage(url));
  }

  private constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Claims 100 jobs; then, off the clock, settles them and puts others in their place. Milliseconds. */
  async timeClaim(): Promise<number> {
    const durationMs = await claimBatch(this.#storage, CLAIMED_JOBS);
    await this.#storage.enqueue({ jobs: newJobs(CLAIMED_JOBS) });
    return durationMs;
  }

  close(): Promise<void> {
    return this.#storage.close();
  }
}

/** Claims of two backlogs in turn. Resolves with the median of each, milliseconds. */
export async function claimInTurn(small: Backlog, large: Backlog, claims: number): Promise<[number, number]> {
  const smallDurations: number[] = [];
  const largeDurations: number[] = [];
  for (let i = 0; i < claims; i++) {
    smallDurations.push(await small.timeClaim());
    largeDurations.push(await large.timeClaim());
  }
  return [median(smallDurations), median(largeDurations)];
}
