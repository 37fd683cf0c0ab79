import type { AttemptRecord, JobRecord, JobState, JobSummary, StoredError } from '../../core/job.ts';
import type { Occurrence } from '../../core/schedule-record.ts';
import type { Lanes } from './lanes.ts';
import { readOptions } from './options-column.ts';
import { readBytea, readPayload } from './payload-column.ts';
import type { Row } from './query.ts';

/** The columns of {@link readSummary}, of a join of jobs `j` with queue `q` and finished `f`, of which one has the job. */
export const SUMMARY_COLUMNS = `j.id, j.lane, j.created_at, j.max_attempts, j.options, j.idempotency_key,
  case when q.id is null then f.state::text when q.token is null then 'pending' else 'running' end,
  coalesce(q.attempt, f.attempt), coalesce(q.run_at, f.run_at), coalesce(q.started_at, f.started_at), f.finished_at,
  coalesce(q.worker_id, f.worker_id), q.expires_at, coalesce(q.error, f.error), j.schedule_id, j.occurrence_at,
  j.parent_id, coalesce(q.step_count, f.step_count), coalesce(q.signal_count, f.signal_count),
  q.awaits is not null and q.token is null, q.is_cancel_requested`;

/** The columns of {@link readRecord}, of a row of get_jobs. */
export const RECORD_COLUMNS = `id, lane, created_at, max_attempts, options, idempotency_key, state, attempt, run_at,
  started_at, finished_at, worker_id, expires_at, error, schedule_id, occurrence_at, parent_id, step_count, signal_count,
  is_suspended, is_cancel_requested, args_is_json, args, result_is_json, result`;

const LANE = 1;
const SUMMARY_LENGTH = 21;

/** The lane of a row of either list of columns. */
export function laneOfRow(row: Row): number {
  return Number(row[LANE]);
}

export function readSummary(row: Row, lanes: Lanes): JobSummary {
  const [
    id,
    lane,
    createdAt,
    maxAttempts,
    options,
    key,
    state,
    attempt,
    runAt,
    startedAt,
    finishedAt,
    workerId,
    expiresAt,
    error,
    scheduleId,
    occurrenceAt,
    parentId,
    stepCount,
    signalCount,
    isSuspended,
    isCancelRequested,
  ] = row;
  const { name, priority } = lanes.read(Number(lane));
  return {
    id: id as string,
    name,
    state: state as JobState,
    attempt: Number(attempt),
    options: readOptions(maxAttempts as string, options ?? null),
    priority,
    idempotencyKey: readKey(key ?? null),
    occurrence: readOccurrence(scheduleId, occurrenceAt),
    parentId: parentId ?? null,
    stepCount: Number(stepCount),
    signalCount: Number(signalCount),
    isSuspended: isSuspended === 't',
    isCancelRequested: isCancelRequested === 't',
    createdAt: Number(createdAt),
    runAt: Number(runAt),
    startedAt: readNumber(startedAt),
    finishedAt: readNumber(finishedAt),
    workerId: workerId ?? null,
    leaseExpiresAt: readNumber(expiresAt),
    error: readError(error ?? null),
  };
}

export function readRecord(row: Row, lanes: Lanes): JobRecord {
  const [argsIsJson, args, resultIsJson, result] = row.slice(SUMMARY_LENGTH);
  return {
    ...readSummary(row, lanes),
    args: readPayload(argsIsJson as string, args as string),
    result: resultIsJson === null || resultIsJson === undefined ? null : readPayload(resultIsJson, result as string),
  };
}

/** A row of attempt, is_lost, worker_id, started_at, ended_at, error. */
export function readAttempt([attempt, isLost, workerId, startedAt, endedAt, error]: Row): AttemptRecord {
  return {
    attempt: Number(attempt),
    outcome: isLost === 't' ? 'lost' : 'failed',
    workerId: workerId as string,
    startedAt: Number(startedAt),
    endedAt: Number(endedAt),
    error: JSON.parse(error as string) as StoredError,
  };
}

/** From its two columns, which are null for a job that was called. */
export function readOccurrence(
  scheduleId: string | null | undefined,
  dueAt: string | null | undefined,
): Occurrence | null {
  return scheduleId === null || scheduleId === undefined ? null : { scheduleId, dueAt: Number(dueAt) };
}

export function readKey(text: string | null): string | null {
  return text === null ? null : readBytea(text).toString();
}

export function readError(text: string | null): StoredError | null {
  return text === null ? null : (JSON.parse(text) as StoredError);
}

/** An error as its column takes it. */
export function writeError({ name, message, stack }: StoredError): string {
  return JSON.stringify({ name, message, stack });
}

export function readNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
