/** The messages of `proto/reseolio.proto`, as proto-loader gives and takes them with {@link LOADER_OPTIONS}. */

/** Names in camel case, whole numbers and enums as numbers, absent values as their defaults, absent messages as null. */
export const LOADER_OPTIONS = { keepCase: false, longs: Number, enums: Number, defaults: true, oneofs: true } as const;

export interface WireOptions {
  readonly maxAttempts: number;
  readonly backoff: string;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly timeoutMs: number;
  readonly jitter: number;
}

export interface EnqueueRequest {
  readonly name: string;
  readonly args: Buffer;
  readonly options: WireOptions | null;
  readonly idempotencyKey: string;
}

export interface EnqueueResponse {
  readonly jobId: string;
  readonly deduplicated: boolean;
}

export interface PollRequest {
  readonly workerId: string;
  readonly names: readonly string[];
  readonly concurrency: number;
}

export interface WireJob {
  readonly id: string;
  readonly name: string;
  readonly args: Uint8Array;
  readonly attempt: number;
  readonly deadlineMs: number;
  readonly status: number;
  readonly error: string;
  readonly result: Uint8Array;
  readonly createdAt: number;
  readonly scheduledAt: number;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly maxAttempts: number;
  readonly scheduleId: string;
  readonly occurrenceAt: number;
}

export interface AckRequest {
  readonly jobId: string;
  readonly result: AckResult | null;
  readonly workerId: string;
  readonly attempt: number;
}

export interface AckResult {
  readonly success: boolean;
  readonly returnValue: Buffer;
  readonly error: string;
  readonly shouldRetry: boolean;
}

export interface AckResponse {
  readonly newStatus: number;
  readonly nextAttempt: number;
  readonly nextRunAt: number;
}

export interface JobRequest {
  readonly jobId: string;
}

/** Of a cancel, a retry, or a schedule's deletion. */
export interface ChangeResponse {
  readonly success: boolean;
  readonly message: string;
}

export interface ListJobsRequest {
  readonly statuses: readonly number[];
  readonly names: readonly string[];
  readonly limit: number;
  readonly offset: number;
  readonly orderBy: string;
  readonly ascending: boolean;
}

export interface ListJobsResponse {
  readonly jobs: readonly WireJob[];
  readonly total: number;
}

export interface SubscribeRequest {
  readonly jobIds: readonly string[];
  readonly unsubscribe: boolean;
}

export interface JobCompletion {
  readonly jobId: string;
  readonly status: number;
  readonly result: Uint8Array;
  readonly error: string;
}

export interface WireSchedule {
  readonly id: string;
  readonly name: string;
  readonly cronExpression: string;
  readonly timezone: string;
  readonly status: number;
  readonly nextRunAt: number;
  readonly lastRunAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly handlerOptions: WireOptions;
  readonly args: Uint8Array;
  readonly scheduleName: string;
}

export interface CreateScheduleRequest {
  readonly name: string;
  readonly cronExpression: string;
  readonly timezone: string;
  readonly handlerOptions: WireOptions | null;
  readonly args: Buffer;
}

export interface ScheduleRequest {
  readonly scheduleId: string;
}

export interface ListSchedulesRequest {
  readonly statusFilter: string;
  readonly limit: number;
  readonly offset: number;
}

export interface ListSchedulesResponse {
  readonly schedules: readonly WireSchedule[];
  readonly total: number;
}

export interface UpdateScheduleRequest extends ScheduleRequest {
  readonly cronExpression: string;
  readonly timezone: string;
  readonly handlerOptions: WireOptions | null;
}
