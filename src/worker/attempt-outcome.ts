import { retryDelayMs } from '../core/backoff.ts';
import { NondeterminismError, ReseolioError } from '../core/errors.ts';
import type { JobRecord, StoredError } from '../core/job.ts';
import { encodePayload } from '../core/payload.ts';
import type { AttemptOutcome } from '../core/storage.ts';
import { isNonRetryable, toStoredError } from '../workflow/stored-error.ts';

/** A handler returned `value`. One that cannot be stored ends the job: a repeat would only return it again. */
export function successOutcome(value: unknown, maxPayloadBytes: number): AttemptOutcome {
  if (value === undefined) return { kind: 'success', result: null };
  try {
    return { kind: 'success', result: encodePayload(value, 'result', maxPayloadBytes) };
  } catch (error) {
    return { kind: 'dead', error: toStoredError(error) };
  }
}

/** A handler threw `thrown`. `random` is in [0, 1). */
export function failureOutcome(job: JobRecord, thrown: unknown, random: number): AttemptOutcome {
  const error = toStoredError(thrown);
  return isNonRetryable(thrown) ? { kind: 'dead', error } : retryOrDead(job, error, random);
}

export function timeoutOutcome(job: JobRecord, reason: ReseolioError, random: number): AttemptOutcome {
  return retryOrDead(job, { name: 'AttemptTimeoutError', message: reason.message, stack: null }, random);
}

/** The handler does not do what its job remembers. */
export function nondeterminismOutcome(difference: string): AttemptOutcome {
  return { kind: 'dead', error: toStoredError(new NondeterminismError(difference)) };
}

export function timeoutReason({ attempt, options }: JobRecord): ReseolioError {
  return new ReseolioError(
    'attempt_timeout',
    `attempt ${attempt} ran longer than its timeoutMs of ${options.timeoutMs} ms`,
  );
}

/** The attempt failed in a way that a repeat may mend. */
export function retryOrDead(job: JobRecord, error: StoredError, random: number): AttemptOutcome {
  if (job.attempt >= job.options.maxAttempts) return { kind: 'dead', error };
  return { kind: 'retry', error, delayMs: retryDelayMs(job.options, job.attempt, random) };
}
