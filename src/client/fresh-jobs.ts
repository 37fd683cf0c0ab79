import type { Runtime } from '../core/runtime.ts';

/** More are forgotten, the oldest first. */
const MAX_JOBS = 4096;
/** After this, no word of a job says little: hints may have been lost. */
const FRESH_MS = 1000;

/**
 * Jobs that this client has just made and of whose end nothing was heard. Who waits for one of them need not look at it
 * first: word of its end is still to come.
 */
export class FreshJobs {
  readonly #runtime: Pick<Runtime, 'monotonicNow'>;
  /** When each was made, the oldest first. */
  readonly #madeAt = new Map<string, number>();

  constructor(runtime: Pick<Runtime, 'monotonicNow'>) {
    this.#runtime = runtime;
  }

  /** A job is about to be made: before that, nothing can be heard of it. */
  add(jobId: string): void {
    this.#madeAt.set(jobId, this.#runtime.monotonicNow());
    if (this.#madeAt.size <= MAX_JOBS) return;
    for (const oldest of this.#madeAt.keys()) {
      this.#madeAt.delete(oldest);
      return;
    }
  }

  has(jobId: string): boolean {
    const madeAt = this.#madeAt.get(jobId);
    return madeAt !== undefined && this.#runtime.monotonicNow() - madeAt < FRESH_MS;
  }

  /** Something was heard of it, or it was not made after all. */
  delete(jobId: string): void {
    this.#madeAt.delete(jobId);
  }

  /** Something was heard of some job. */
  clear(): void {
    this.#madeAt.clear();
  }
}
