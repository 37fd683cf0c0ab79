import { AsyncLocalStorage } from 'node:async_hooks';
import { ReseolioError } from '../core/errors.ts';
import type { Occurrence } from '../core/schedule-record.ts';

/** What a handler can know of the job that it runs. */
export interface CurrentJob {
  readonly id: string;
  readonly name: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Which due time of which schedule the job is for; null if it was called. */
  readonly occurrence: Occurrence | null;
  /**
   * Aborts when the outcome of this attempt will no longer be taken. Its `reason` is a `ReseolioError` of code
   * `attempt_timeout`, `shutting_down` (the grace time of `stop()` is over) or `lease_lost`.
   */
  readonly signal: AbortSignal;
  /** When the attempt times out, Unix milliseconds. */
  readonly deadline: number;
}

/** Gives its `current` when it is asked for. */
export interface JobContext {
  readonly current: CurrentJob;
}

/** A process has one chain of asynchronous contexts, so this one for all clients is no state that they share. */
const contexts = new AsyncLocalStorage<JobContext>();

/**
 * The job whose handler called this, directly or through whatever it awaits.
 *
 * @throws ReseolioError `no_current_job` outside of a handler.
 */
export function currentJob(): CurrentJob {
  const context = contexts.getStore();
  if (context === undefined) {
    throw new ReseolioError('no_current_job', 'currentJob() was called outside of a handler');
  }
  return context.current;
}

/** True where {@link currentJob} would not throw. */
export function hasCurrentJob(): boolean {
  return contexts.getStore() !== undefined;
}

/** Calls `handler` so that {@link currentJob} works in it. */
export function runInContext(
  context: JobContext,
  handler: (...args: unknown[]) => unknown,
  args: readonly unknown[],
): unknown {
  return contexts.run(context, handler, ...args);
}
