import type { ReseolioError } from './errors.ts';
import type { AttemptRecord, FinishedState, JobRecord, JobState, JobSummary, Lease } from './job.ts';
import type { NewJob } from './new-job.ts';
import type {
  CreateScheduleParams,
  CreateScheduleResult,
  FireSchedulesParams,
  FiringStatus,
  GetScheduleParams,
  GetScheduleResult,
  ListDueSchedulesParams,
  ListDueSchedulesResult,
  ListSchedulesParams,
  ListSchedulesResult,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from './schedule-operations.ts';
import type { SettleParams, SettleResult } from './settlement.ts';
import type { SqlTransaction } from './sql-transaction.ts';
import type {
  GetSignalsParams,
  GetStepsParams,
  RecordStepsParams,
  RecordStepsResult,
  SignalParams,
  SignalResult,
  StoredSignal,
  StoredStep,
} from './step-operations.ts';

export type { NewJob } from './new-job.ts';
export type * from './settlement.ts';

/**
 * The seam of the whole design: what a backend has to do, and all that the rest of the library knows of it.
 *
 * Every method takes a batch and answers by position. What a backend promises beside the types:
 *
 * 1. **Durable when resolved.** `enqueue` and `settle` resolve once the data would survive a power cut.
 * 2. **Claims are exclusive.** No two claims, in one process or many, hold one attempt at once.
 * 3. **Writes under a lease are fenced** by (job id, attempt, token). A stale one changes nothing and is told
 *    `lease_lost`; a repeat of a settle that took effect is told `settled` until a later attempt settles.
 * 4. **The storage owns the clock.** Callers pass durations; due times and leases are judged by the storage.
 * 5. **Order**: by priority, then due time, then enqueue order, for each name.
 * 6. **Cost is flat** in the number of jobs stored, finished ones included.
 * 7. A call that rejects has changed nothing, or (when its outcome is unknown) can be repeated as it was:
 *    ids and lease tokens are made by the caller.
 *
 * Callers have checked names, options and sizes; a backend need not. `reseolio/testing` holds a suite that checks
 * every promise on any implementation.
 */
export interface Storage {
  /** Stores jobs, all or none. Resolves once they are durable. */
  enqueue(params: Readonly<EnqueueParams>): Promise<EnqueueResult[]>;

  /**
   * Stores jobs as part of a transaction that the caller began in the storage's database: they exist if and only if it
   * commits, and workers hear of them then. Resolves once they are part of it. Rejects with `transaction_unsupported`
   * where the storage has no such transactions.
   */
  enqueueInTransaction(params: Readonly<EnqueueInTransactionParams>): Promise<EnqueueResult[]>;

  /**
   * Takes due jobs under a lease, up to `limit`, best first for each name. The limit is dealt out one job a name a
   * turn, beginning with the first of `names`, so no name starves another; a caller whose limit is below the number
   * of names rotates them between calls.
   */
  claim(params: Readonly<ClaimParams>): Promise<ClaimResult>;

  /** Moves the expiry of leases that are still held to `leaseMs` from now. */
  extendLeases(params: Readonly<ExtendLeasesParams>): Promise<LeaseStatus[]>;

  /** Ends attempts. Resolves once the outcomes are durable. */
  settle(params: Readonly<SettleParams>): Promise<SettleResult[]>;

  /**
   * Adds steps to what running jobs remember, and makes the children that are part of them, each recording under its lease.
   * Resolves once that is durable.
   */
  recordSteps(params: Readonly<RecordStepsParams>): Promise<RecordStepsResult[]>;

  /**
   * Reads what a job remembers, oldest first: up to `limit` steps, fewer where they are large, but at least one if there
   * is one.
   */
  getSteps(params: Readonly<GetStepsParams>): Promise<StoredStep[]>;

  /** Sends signals to jobs that have not finished. Resolves once they are durable. */
  signal(params: Readonly<SignalParams>): Promise<SignalResult[]>;

  /** Reads the signals of a job, oldest first: up to `limit`, fewer where they are large, but at least one if there is one. */
  getSignals(params: Readonly<GetSignalsParams>): Promise<StoredSignal[]>;

  /**
   * Takes back jobs whose lease has expired, oldest expiry first: due at once if attempts are left, else dead; cancelled if
   * they were asked to stop.
   */
  reclaimExpired(params: Readonly<ReclaimParams>): Promise<ReclaimResult>;

  /** Cancels jobs that are pending; those that are running it asks to stop, if the caller says so. */
  cancel(params: Readonly<CancelParams>): Promise<ChangeResult[]>;

  /** Puts dead jobs back to pending, due now, their attempts counted anew; their history stays. */
  retry(params: Readonly<JobIdsParams>): Promise<ChangeResult[]>;

  /** Reads jobs, null for those that are not there. */
  getJobs(params: Readonly<JobIdsParams>): Promise<(JobRecord | null)[]>;

  /** Reads the failed and lost attempts of a job that are kept, oldest first; none for a job that is not there. */
  getAttempts(params: Readonly<{ jobId: string }>): Promise<AttemptRecord[]>;

  /** Reads a page of jobs; ties go by enqueue order. `total` counts what the filter matches on all pages. */
  listJobs(params: Readonly<ListJobsParams>): Promise<ListJobsResult>;

  /** How many jobs of each name are in each state, for the names that have any, sorted by name. */
  counts(): Promise<NameCounts[]>;

  /**
   * Deletes up to `limit` jobs with all that belongs to them: history, idempotency keys, steps, signals. A child stays while
   * its parent is pending or running. Meant to be called in small batches.
   */
  prune(params: Readonly<PruneParams>): Promise<PruneResult>;

  /** Stores a schedule, active, unless one that is not deleted has its name. Resolves once it is durable. */
  createSchedule(params: Readonly<CreateScheduleParams>): Promise<CreateScheduleResult>;

  /** Reads a schedule by its id; else the one of that name that is not deleted; else the one of it that was made last. */
  getSchedule(params: Readonly<GetScheduleParams>): Promise<GetScheduleResult>;

  /**
   * Reads a page of schedules: those that are active by `nextRunAt` (those without come last), then the paused, then the
   * deleted ones; ties go by id. `total` counts those in these states on all pages.
   */
  listSchedules(params: Readonly<ListSchedulesParams>): Promise<ListSchedulesResult>;

  /** Replaces what a schedule says, and its state. Resolves once that is durable. */
  updateSchedule(params: Readonly<UpdateScheduleParams>): Promise<UpdateScheduleResult>;

  /** Reads active schedules that are due, up to `limit`. */
  listDueSchedules(params: Readonly<ListDueSchedulesParams>): Promise<ListDueSchedulesResult>;

  /**
   * Fires schedules, each in one step: compares its revision, makes the jobs, notes the last of them, and goes on to
   * `nextRunAt`. Any number of callers may try; one succeeds. Resolves once that is durable.
   */
  fireSchedules(params: Readonly<FireSchedulesParams>): Promise<FiringStatus[]>;

  /**
   * Calls `listener` with hints until the returned function is called. Hints may be lost, late, doubled or wrong;
   * they save a poll, and nothing may depend on them. The listener must not throw.
   */
  watch(listener: (hint: StorageHint) => void): () => void;

  /** Finishes what was called before, then lets go of everything. Later calls reject with `stopped`. Idempotent. */
  close(): Promise<void>;
}

export interface EnqueueParams {
  readonly jobs: readonly NewJob[];
}

export interface EnqueueInTransactionParams extends EnqueueParams {
  readonly transaction: SqlTransaction;
}

export interface EnqueueResult {
  /** The job that stands for the call: the new one, or the one that already had its idempotency key. */
  readonly jobId: string;
  /** An earlier call had the same (name, idempotency key). */
  readonly deduplicated: boolean;
}

export interface ClaimParams {
  readonly workerId: string;
  /** A UUID made by the caller, unique to this call; fences every later write. */
  readonly leaseToken: string;
  readonly names: readonly string[];
  readonly limit: number;
  readonly leaseMs: number;
}

export interface ClaimedJob extends JobRecord {
  /** It was suspended: this goes on with the attempt that was, rather than begin another. */
  readonly isResumed: boolean;
}

export interface ClaimResult {
  readonly jobs: ClaimedJob[];
  /**
   * Milliseconds until the next job of `names` is due, 0 if one may be due now, null if none waits. A hint for how
   * long to sleep.
   */
  readonly nextDueInMs: number | null;
}

export interface ExtendLeasesParams {
  readonly leases: readonly Lease[];
  readonly leaseMs: number;
}

/** `cancel_requested`: the lease is held, and somebody has asked the job to stop. */
export type LeaseStatus = 'held' | 'cancel_requested' | 'lease_lost';

export interface ReclaimParams {
  readonly limit: number;
}

export interface ReclaimResult {
  readonly jobs: ReclaimedJob[];
  /** Milliseconds until the next lease expires (0: more has expired), null if none is held. */
  readonly nextExpiryInMs: number | null;
}

export interface ReclaimedJob {
  readonly jobId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: 'pending' | 'dead' | 'cancelled';
}

export interface JobIdsParams {
  readonly jobIds: readonly string[];
}

export interface CancelParams extends JobIdsParams {
  /** Ask running jobs to stop: heartbeats tell their workers, and hints do so sooner. */
  readonly isRunningIncluded: boolean;
}

export type ChangeResult =
  | { readonly status: 'changed'; readonly state: JobState }
  /** The job is running and has been asked to stop, now or before. */
  | { readonly status: 'requested'; readonly state: 'running' }
  /** The job is in a state that does not allow the change; nothing was changed. */
  | { readonly status: 'refused'; readonly state: JobState }
  | { readonly status: 'not_found' };

export interface ListJobsParams {
  /** null: every state. */
  readonly states: readonly JobState[] | null;
  /** null: every name. */
  readonly names: readonly string[] | null;
  /** Only children of this job; null: all jobs. */
  readonly parentId: string | null;
  readonly limit: number;
  readonly offset: number;
  readonly orderBy: 'createdAt' | 'scheduledAt';
  readonly isAscending: boolean;
}

export interface ListJobsResult {
  readonly jobs: JobSummary[];
  readonly total: number;
}

export type NameCounts = { readonly name: string } & Readonly<Record<JobState, number>>;

export interface PruneParams {
  readonly state: FinishedState;
  /** Only jobs that finished longer ago than this, milliseconds. */
  readonly olderThanMs: number;
  readonly limit: number;
}

export interface PruneResult {
  readonly pruned: number;
  /** Another call now may find more. */
  readonly hasMore: boolean;
}

export type StorageHint =
  /** Jobs of these names (null: of any) became due, or are about to with the next commit. */
  | { readonly kind: 'work'; readonly names: readonly string[] | null }
  /** These jobs (null: some) reached success, dead or cancelled. */
  | { readonly kind: 'finished'; readonly jobIds: readonly string[] | null }
  /** These jobs (null: some) were sent signals, or asked to stop. */
  | { readonly kind: 'signals'; readonly jobIds: readonly string[] | null }
  /** Schedules were made or changed. */
  | { readonly kind: 'schedules' }
  /** The storage failed for good: nothing more is acknowledged until the process opens it anew. */
  | { readonly kind: 'failed'; readonly error: ReseolioError };

/** What `durability` of a client means: see `docs/durability.md`. */
export type Durability = 'strict' | 'relaxed';
