export { type MigrateMode, migrateStorage, type StorageLocation } from './backends/open-storage.ts';
export type { CancelOptions } from './client/cancel-options.ts';
export type { ReseolioEventName, ReseolioEvents, ReseolioListener } from './client/client-events.ts';
export type { ReseolioOptions, RetentionOptions } from './client/client-options.ts';
export type { ArgsWithOptions, BatchOptions, DurableFunction } from './client/durable-function.ts';
export type { JobDetails, JobList, JobOverview } from './client/job-access.ts';
export type { JobHandle } from './client/job-handle.ts';
export type { ListJobsQuery } from './client/list-jobs-query.ts';
export { Reseolio } from './client/reseolio.ts';
export type { PreviewOptions } from './client/schedule-access.ts';
export type { ScheduleHandle } from './client/schedule-handle.ts';
export type {
  ListSchedulesQuery,
  ScheduleChange,
  ScheduledJobOptions,
  ScheduleOptions,
  ScheduleSettings,
} from './client/schedule-options.ts';
export type { ScheduleDetails, ScheduleList, ScheduleOverview } from './client/schedule-overview.ts';
export type { ScheduleShorthands, Scheduling } from './client/scheduling.ts';
export {
  ERROR_CODES,
  JobCancelledError,
  JobFailedError,
  NonRetryableError,
  ReseolioError,
  type ReseolioErrorCode,
  ResultTimeoutError,
  SignalTimeoutError,
  StepFailedError,
} from './core/errors.ts';
export type { AttemptRecord, FinishedState, JobRecord, JobState, JobSummary, Lease, StoredError } from './core/job.ts';
export type { Backoff, CallOptions, JobOptions } from './core/options.ts';
export type { Payload, PayloadEncoding } from './core/payload.ts';
export type { Runtime, Timer } from './core/runtime.ts';
export type * from './core/schedule-operations.ts';
export type * from './core/schedule-record.ts';
export type { SqlTransaction } from './core/sql-transaction.ts';
export type * from './core/step-operations.ts';
export type * from './core/storage.ts';
export { type CurrentJob, currentJob } from './workflow/current-job.ts';
export { sleep } from './workflow/sleep.ts';
export { type StepOptions, step } from './workflow/step.ts';
export type { StepTry } from './workflow/step-tries.ts';
export { version } from './workflow/version.ts';
export { type WaitForSignalOptions, waitForSignal } from './workflow/wait-for-signal.ts';
