import { openStorage } from '../src/backends/open-storage.ts';
import { JobIdGenerator } from '../src/core/job-id.ts';
import { DEFAULT_JOB_OPTIONS } from '../src/core/options.ts';
import { encodePayload } from '../src/core/payload.ts';
import { createSystemRuntime } from '../src/core/runtime.ts';
import type { NewJob, Storage } from '../src/core/storage.ts';
import { ARGUMENTS, JOB_NAME, storageUrl } from './workload.ts';

const BATCH_JOBS = 10_000;
const CLAIMED_JOBS = 100;

const runtime = createSystemRuntime();
const ids = new JobIdGenerator(runtime);
const args = encodePayload(ARGUMENTS, 'args');

/** A storage in which always the same number of jobs waits. */
export class Backlog {
  readonly #storage: Storage;

  static async build(directory: string, jobs: number): Promise<Backlog> {
    const storage = await openBacklog(directory);
    for (let left = jobs; left > 0; left -= BATCH_JOBS) {
      await storage.enqueue({ jobs: newJobs(Math.min(left, BATCH_JOBS)) });
    }
    await storage.close();
    // As a worker finds it that has nothing to do with how the backlog came about.
    return new Backlog(await openBacklog(directory));
  }

  private constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Claims jobs; then, off the clock, settles them and puts others in their place. */
  async timeClaim(): Promise<number> {
    const leaseToken = ids.next();
    const startedAt = performance.now();
    const { jobs } = await this.#storage.claim({
      workerId: 'bench',
      leaseToken,
      names: [JOB_NAME],
      limit: CLAIMED_JOBS,
      leaseMs: 15_000,
    });
    const durationMs = performance.now() - startedAt;
    if (jobs.length !== CLAIMED_JOBS) throw new Error(`${jobs.length} jobs were claimed, not ${CLAIMED_JOBS}`);
    await this.#storage.settle({
      settlements: jobs.map(({ id, attempt }) => ({
        lease: { jobId: id, attempt, token: leaseToken },
        outcome: { kind: 'success', result: null },
      })),
    });
    await this.#storage.enqueue({ jobs: newJobs(CLAIMED_JOBS) });
    return durationMs;
  }

  close(): Promise<void> {
    return this.#storage.close();
  }
}

function openBacklog(directory: string): Promise<Storage> {
  return openStorage(storageUrl(directory), { runtime, durability: 'strict', migrate: 'auto' });
}

function newJobs(count: number): NewJob[] {
  return Array.from({ length: count }, () => ({
    id: ids.next(),
    name: JOB_NAME,
    args,
    options: DEFAULT_JOB_OPTIONS,
    priority: 0,
    idempotencyKey: null,
    delayMs: null,
    runAt: null,
  }));
}
