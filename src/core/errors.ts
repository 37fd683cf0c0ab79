/** Every code a {@link ReseolioError} can carry. `docs/errors.md` explains each; a test holds the two together. */
export const ERROR_CODES = [
  'invalid_name',
  'invalid_argument',
  'invalid_option',
  'invalid_idempotency_key',
  'payload_unserializable',
  'payload_too_large',
  'duplicate_handler',
  'not_started',
  'stopped',
  'invalid_cron',
  'invalid_timezone',
  'schedule_exists',
  'schedule_not_found',
  'job_not_found',
  'job_failed',
  'job_cancelled',
  'job_finished',
  'result_timeout',
  'signal_timeout',
  'step_failed',
  'step_limit',
  'nondeterminism',
  'attempt_timeout',
  'attempt_lost',
  'lease_lost',
  'shutting_down',
  'no_current_job',
  'transaction_unsupported',
  'address_unavailable',
  'unknown_storage',
  'storage_unavailable',
  'storage_version',
  'storage_overloaded',
  'storage_full',
  'storage_failed',
] as const;

export type ReseolioErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error class of the library. `code` is stable and meant for programs; `message` says what was wrong
 * and what to do, and is meant for people.
 */
export class ReseolioError extends Error {
  readonly code: ReseolioErrorCode;

  constructor(code: ReseolioErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ReseolioError';
    this.code = code;
  }
}

/** What `result()` rejects with when the job ended `dead`: the last attempt's error, as the handler threw it. */
export class JobFailedError extends ReseolioError {
  readonly jobId: string;
  /** How many attempts were made. */
  readonly attempts: number;
  /** `name` of the error that the last attempt ended with, e.g. `TypeError`. */
  readonly errorName: string;
  /** `message` of that error, without any prefix. */
  readonly errorMessage: string;
  /** `stack` of that error in the process that ran the handler, or null. */
  readonly errorStack: string | null;

  constructor(
    jobId: string,
    attempts: number,
    error: Readonly<{ name: string; message: string; stack: string | null }>,
  ) {
    super('job_failed', error.message);
    this.name = 'JobFailedError';
    this.jobId = jobId;
    this.attempts = attempts;
    this.errorName = error.name;
    this.errorMessage = error.message;
    this.errorStack = error.stack;
  }
}

/** What `result()` rejects with when the job was cancelled. */
export class JobCancelledError extends ReseolioError {
  readonly jobId: string;

  constructor(jobId: string) {
    super('job_cancelled', `job ${jobId} was cancelled`);
    this.name = 'JobCancelledError';
    this.jobId = jobId;
  }
}

/** What `result(timeoutMs)` rejects with when the job has not ended in time. The job itself runs on. */
export class ResultTimeoutError extends ReseolioError {
  readonly jobId: string;
  readonly timeoutMs: number;

  constructor(jobId: string, timeoutMs: number) {
    super('result_timeout', `job ${jobId} has not ended within ${timeoutMs} ms; it goes on, await it again`);
    this.name = 'ResultTimeoutError';
    this.jobId = jobId;
    this.timeoutMs = timeoutMs;
  }
}

/** What `step()` rejects with when its function failed for good: the error of its last try, the same in every replay. */
export class StepFailedError extends ReseolioError {
  readonly stepName: string;
  /** How many tries were made. */
  readonly attempts: number;
  /** `name` of the error of the last try, e.g. `TypeError`. */
  readonly errorName: string;
  /** `message` of that error, without any prefix. */
  readonly errorMessage: string;
  readonly errorStack: string | null;
  /** False: the function threw a `NonRetryableError`. A handler that lets this pass ends its job dead at once. */
  readonly isRetryable: boolean;

  constructor(
    stepName: string,
    attempts: number,
    error: Readonly<{ name: string; message: string; stack: string | null }>,
    isRetryable: boolean,
  ) {
    super('step_failed', `step ${stepName} failed: ${error.message}`);
    this.name = 'StepFailedError';
    this.stepName = stepName;
    this.attempts = attempts;
    this.errorName = error.name;
    this.errorMessage = error.message;
    this.errorStack = error.stack;
    this.isRetryable = isRetryable;
  }
}

/** What ends a job whose handler does not do again what it did before. */
export class NondeterminismError extends ReseolioError {
  constructor(difference: string) {
    super('nondeterminism', `nondeterminism: ${difference}`);
    this.name = 'NondeterminismError';
  }
}

/** What `waitForSignal()` rejects with when no signal came in its time. */
export class SignalTimeoutError extends ReseolioError {
  readonly signalName: string;

  constructor(signalName: string) {
    super('signal_timeout', `no signal ${signalName} came within the timeoutMs of waitForSignal`);
    this.name = 'SignalTimeoutError';
    this.signalName = signalName;
  }
}

/** Throw this (or a subclass) in a handler to end the job `dead` at once, whatever attempts are left. */
export class NonRetryableError extends Error {
  constructor(message?: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'NonRetryableError';
  }
}

/** What a storage without transactions of the caller's answers to one. */
export function transactionUnsupported(): ReseolioError {
  return new ReseolioError(
    'transaction_unsupported',
    'tx was given, but the storage has no transactions that a caller can begin: use a postgres:// storage, or leave it out',
  );
}
