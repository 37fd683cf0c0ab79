import type { AttemptRecord, JobRecord, JobSummary, StoredError } from '../../core/job.ts';
import { MAX_ATTEMPT_HISTORY } from '../../core/job.ts';
import type { Payload } from '../../core/payload.ts';
import type { Occurrence } from '../../core/schedule-record.ts';
import type { StoredSignal, StoredStep } from '../../core/step-operations.ts';
import type { NewJob, Suspension } from '../../core/storage.ts';

/** A job and what the storage knows about it beside its record. */
export interface StoredJob {
  /** Enqueue order; a job keeps it through retries, releases and reclaims. */
  readonly sequence: number;
  readonly record: JobRecord;
  /** Fences the writes of the running attempt; null while nothing runs. */
  readonly leaseToken: string | null;
  /** The attempt that settled last, by which its repeat is recognised. */
  readonly lastSettled: Readonly<{ attempt: number; token: string }> | null;
  readonly attempts: readonly AttemptRecord[];
  readonly steps: readonly StoredStep[];
  readonly signals: readonly (StoredSignal & { readonly id: string })[];
  /** What it waits for, while it is suspended. */
  readonly suspension: Suspension | null;
}

/** The order in which the pending jobs of one name are claimed. */
export function compareClaimOrder(a: StoredJob, b: StoredJob): number {
  return b.record.priority - a.record.priority || a.record.runAt - b.record.runAt || a.sequence - b.sequence;
}

/** Where a new job comes from: null for what it does not come from. */
export interface JobOrigin {
  readonly scheduleId: string | null;
  readonly parentId: string | null;
}

export function createStoredJob(
  job: NewJob,
  sequence: number,
  now: number,
  { scheduleId, parentId }: JobOrigin,
): StoredJob {
  const { delayMs } = job;
  const runAt = delayMs === null ? (job.runAt ?? now) : now + delayMs;
  const record: JobRecord = {
    id: job.id,
    name: job.name,
    state: 'pending',
    attempt: 0,
    options: { ...job.options },
    priority: job.priority,
    idempotencyKey: job.idempotencyKey,
    occurrence: scheduleId === null ? null : { scheduleId, dueAt: runAt },
    parentId,
    stepCount: 0,
    signalCount: 0,
    isSuspended: false,
    isCancelRequested: false,
    createdAt: now,
    runAt,
    startedAt: null,
    finishedAt: null,
    workerId: null,
    leaseExpiresAt: null,
    error: null,
    args: copyPayload(job.args),
    result: null,
  };
  return {
    sequence,
    record,
    leaseToken: null,
    lastSettled: null,
    attempts: [],
    steps: [],
    signals: [],
    suspension: null,
  };
}

/** The history of `job` with its running attempt added; the oldest goes where it would grow too long. */
export function appendAttempt(
  job: StoredJob,
  outcome: AttemptRecord['outcome'],
  endedAt: number,
  error: StoredError,
): readonly AttemptRecord[] {
  const { attempt, workerId, startedAt } = job.record;
  if (workerId === null || startedAt === null) throw new Error(`job ${job.record.id} has no attempt that could end`);
  const ended: AttemptRecord = { attempt, outcome, workerId, startedAt, endedAt, error: { ...error } };
  return [...job.attempts, ended].slice(-MAX_ATTEMPT_HISTORY);
}

/** Callers get copies, so that nothing they do to an answer changes what is stored. */
export function copyRecord(record: JobRecord): JobRecord {
  return {
    ...record,
    options: { ...record.options },
    occurrence: copyOccurrence(record.occurrence),
    error: copyError(record.error),
    args: copyPayload(record.args),
    result: record.result === null ? null : copyPayload(record.result),
  };
}

export function copySummary({ args: _args, result: _result, ...summary }: JobRecord): JobSummary {
  return {
    ...summary,
    options: { ...summary.options },
    occurrence: copyOccurrence(summary.occurrence),
    error: copyError(summary.error),
  };
}

export function copyAttempt(attempt: AttemptRecord): AttemptRecord {
  return { ...attempt, error: { ...attempt.error } };
}

export function copyPayload({ encoding, bytes }: Payload): Payload {
  return { encoding, bytes: new Uint8Array(bytes) };
}

function copyOccurrence(occurrence: Occurrence | null): Occurrence | null {
  return occurrence === null ? null : { ...occurrence };
}

function copyError(error: StoredError | null): StoredError | null {
  return error === null ? null : { ...error };
}

export function finishTime({ finishedAt }: JobRecord): number {
  return finishedAt ?? Number.POSITIVE_INFINITY;
}
