import type { Storage } from '../src/core/storage.ts';
import { claimBatch, openBenchStorage } from './claim-batch.ts';
import type { Round } from './figure.ts';
import type { MeasureContext } from './measure-list.ts';
import { newJobs } from './new-jobs.ts';
import { besideFloor } from './rounds.ts';
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

/** Rounds of claims of each backlog, all in turn: medians, milliseconds. */
export async function claimRounds(context: MeasureContext, backlogs: readonly Backlog[]): Promise<Round[][]> {
  const { plan } = context;
  const rounds = backlogs.map((): Round[] => []);
  for (let round = 0; round < plan.longRounds; round++) {
    const { result, floorMs } = await besideFloor(context, () => claimInTurn(backlogs, plan.claimsPerRound));
    for (const [at, value] of result.entries()) rounds[at]?.push({ value, ratioToFloor: value / floorMs });
  }
  return rounds;
}

async function claimInTurn(backlogs: readonly Backlog[], claims: number): Promise<number[]> {
  const durations = backlogs.map((): number[] => []);
  for (let i = 0; i < claims; i++) {
    for (const [at, backlog] of backlogs.entries()) durations[at]?.push(await backlog.timeClaim());
  }
  return durations.map(median);
}
