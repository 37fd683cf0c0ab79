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
  'result_timeout',
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
