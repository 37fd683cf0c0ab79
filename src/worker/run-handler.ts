import type { JobRecord } from '../core/job.ts';
import { decodePayload, type Payload } from '../core/payload.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome } from '../core/storage.ts';
import { runInContext } from '../workflow/current-job.ts';
import { toStoredError } from '../workflow/stored-error.ts';
import type { Attempt } from './attempt.ts';
import { failureOutcome, successOutcome } from './attempt-outcome.ts';
import type { Handler, HandlerRegistry } from './handler-registry.ts';

/**
 * Runs an attempt to its end, in this process or elsewhere, and decides what becomes of it; neither throws nor rejects. What
 * it answers for an attempt that has ended otherwise in the meantime is not taken.
 */
export type RunAttempt = (attempt: Attempt) => AttemptOutcome | PromiseLike<AttemptOutcome>;

export interface HandlerRunnerParams {
  readonly runtime: Pick<Runtime, 'random'>;
  readonly registry: HandlerRegistry;
  readonly maxPayloadBytes: number;
}

/** Calls the handler of the job's name. */
export function createHandlerRunner({ runtime, registry, maxPayloadBytes }: HandlerRunnerParams): RunAttempt {
  // Only an outcome that is taken is worth packing.
  const isOver = ({ endedAt, isLeaseLost }: Attempt): boolean => endedAt !== null || isLeaseLost;
  const succeed = (attempt: Attempt, value: unknown): AttemptOutcome =>
    isOver(attempt) ? UNTAKEN : successOutcome(value, maxPayloadBytes);
  const fail = (job: JobRecord, thrown: unknown): AttemptOutcome => failureOutcome(job, thrown, runtime.random());

  return (attempt) => {
    const { job } = attempt;
    let args: readonly unknown[];
    try {
      args = decodeArgs(job.args);
    } catch (error) {
      return { kind: 'dead', error: toStoredError(error) };
    }
    try {
      // Only names that have handlers are claimed, and handlers are never removed.
      const returned = runInContext(attempt, registry.get(job.name) as Handler, args);
      if (!isThenable(returned)) return succeed(attempt, returned);
      return Promise.resolve(returned).then(
        (value: unknown) => succeed(attempt, value),
        (error: unknown) => fail(job, error),
      );
    } catch (error) {
      return fail(job, error);
    }
  };
}

const UNTAKEN: AttemptOutcome = { kind: 'release' };

/** Callers of other languages may send a single value, which is then the only argument. */
function decodeArgs(payload: Payload): readonly unknown[] {
  const decoded = decodePayload(payload);
  return Array.isArray(decoded) ? decoded : [decoded];
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise ||
    (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function')
  );
}
