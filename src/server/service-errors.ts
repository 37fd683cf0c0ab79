import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ReseolioError, type ReseolioErrorCode } from '../core/errors.ts';

const STATUS_OF_CODE: Readonly<Record<ReseolioErrorCode, status>> = {
  invalid_name: status.INVALID_ARGUMENT,
  invalid_argument: status.INVALID_ARGUMENT,
  invalid_option: status.INVALID_ARGUMENT,
  invalid_idempotency_key: status.INVALID_ARGUMENT,
  payload_unserializable: status.INVALID_ARGUMENT,
  payload_too_large: status.INVALID_ARGUMENT,
  duplicate_handler: status.ALREADY_EXISTS,
  not_started: status.UNAVAILABLE,
  stopped: status.UNAVAILABLE,
  invalid_cron: status.INVALID_ARGUMENT,
  invalid_timezone: status.INVALID_ARGUMENT,
  schedule_exists: status.ALREADY_EXISTS,
  schedule_not_found: status.NOT_FOUND,
  job_not_found: status.NOT_FOUND,
  job_failed: status.ABORTED,
  job_cancelled: status.ABORTED,
  job_finished: status.FAILED_PRECONDITION,
  result_timeout: status.DEADLINE_EXCEEDED,
  signal_timeout: status.DEADLINE_EXCEEDED,
  step_failed: status.ABORTED,
  step_limit: status.RESOURCE_EXHAUSTED,
  nondeterminism: status.ABORTED,
  attempt_timeout: status.FAILED_PRECONDITION,
  attempt_lost: status.FAILED_PRECONDITION,
  lease_lost: status.FAILED_PRECONDITION,
  shutting_down: status.UNAVAILABLE,
  no_current_job: status.INTERNAL,
  transaction_unsupported: status.UNIMPLEMENTED,
  address_unavailable: status.INTERNAL,
  unknown_storage: status.INTERNAL,
  storage_unavailable: status.UNAVAILABLE,
  storage_version: status.FAILED_PRECONDITION,
  storage_overloaded: status.RESOURCE_EXHAUSTED,
  storage_full: status.RESOURCE_EXHAUSTED,
  storage_failed: status.UNAVAILABLE,
};

/**
 * What a caller is told of an error, as well-formed text: what quotes half of a character cannot be sent. What is none of the library's own
 * says nothing of the inside.
 */
export function toServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof StatusError) return { code: error.code, details: error.message.toWellFormed() };
  if (error instanceof ReseolioError) {
    return { code: STATUS_OF_CODE[error.code], details: `${error.code}: ${error.message}`.toWellFormed() };
  }
  process.emitWarning(error instanceof Error ? error : new Error(String(error)), 'ReseolioWarning');
  return { code: status.INTERNAL, details: 'the server failed: see its log' };
}

/** An error that is a matter of the wire alone. */
export class StatusError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
  }
}

export type CallMetadata = Pick<Metadata, 'get'>;
