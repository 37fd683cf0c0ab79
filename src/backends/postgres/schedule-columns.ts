import type {
  CatchUp,
  Overlap,
  ScheduleDefinition,
  ScheduleRecord,
  ScheduleState,
  ScheduleSummary,
} from '../../core/schedule-record.ts';
import { readNumber } from './job-columns.ts';
import type { Lanes } from './lanes.ts';
import { readOptions, writeOptions } from './options-column.ts';
import { asBuffer, readPayload } from './payload-column.ts';
import type { Row, Value } from './query.ts';

/** The columns of {@link readScheduleSummary}. */
export const SCHEDULE_SUMMARY_COLUMNS = `id, lane, name, state, next_run_at, last_run_at, last_job_id, revision, created_at,
  updated_at, cron, timezone, catch_up, catch_up_limit, overlap, max_attempts, options`;

/** The columns of {@link readScheduleRecord}. */
export const SCHEDULE_RECORD_COLUMNS = `${SCHEDULE_SUMMARY_COLUMNS}, args_is_json, args`;

const SUMMARY_LENGTH = 17;

/** How many columns {@link SCHEDULE_RECORD_COLUMNS} are. */
export const SCHEDULE_RECORD_LENGTH = SUMMARY_LENGTH + 2;

/** The lane of its jobs must be known: `laneOfRow` reads it. */
export function readScheduleSummary(row: Row, lanes: Lanes): ScheduleSummary {
  const [id, lane, name, state, nextRunAt, lastRunAt, lastJobId, revision, createdAt, updatedAt, ...rule] = row;
  const [cron, timezone, catchUp, catchUpLimit, overlap, maxAttempts, options] = rule;
  const { name: jobName, priority } = lanes.read(Number(lane));
  return {
    id: id as string,
    name: name as string,
    state: state as ScheduleState,
    nextRunAt: readNumber(nextRunAt),
    lastRunAt: readNumber(lastRunAt),
    lastJobId: lastJobId ?? null,
    revision: Number(revision),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
    jobName,
    cron: cron as string,
    timezone: timezone as string,
    options: readOptions(maxAttempts as string, options ?? null),
    priority,
    catchUp: catchUp as CatchUp,
    catchUpLimit: Number(catchUpLimit),
    overlap: overlap as Overlap,
  };
}

export function readScheduleRecord(row: Row, lanes: Lanes): ScheduleRecord {
  const [argsIsJson, args] = row.slice(SUMMARY_LENGTH);
  return { ...readScheduleSummary(row, lanes), args: readPayload(argsIsJson as string, args as string) };
}

/** What a schedule says, from its lane on, as the functions that write one take it. */
export function writeDefinition(definition: ScheduleDefinition, lanes: Lanes): Value[] {
  const { jobName, priority, cron, timezone, catchUp, catchUpLimit, overlap, options, args } = definition;
  return [
    lanes.idOf(jobName, priority),
    cron,
    timezone,
    catchUp,
    catchUpLimit,
    overlap,
    options.maxAttempts,
    writeOptions(options),
    args.encoding === 'json',
    asBuffer(args.bytes),
  ];
}
