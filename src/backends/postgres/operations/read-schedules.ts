import { isJobId } from '../../../core/job-id.ts';
import type {
  GetScheduleParams,
  ListDueSchedulesParams,
  ListDueSchedulesResult,
  ListSchedulesParams,
} from '../../../core/schedule-operations.ts';
import { arrayLiteral } from '../array-literal.ts';
import { readNumber } from '../job-columns.ts';
import type { Lanes } from '../lanes.ts';
import type { Query, Row } from '../query.ts';
import { readScheduleSummary, SCHEDULE_RECORD_COLUMNS, SCHEDULE_SUMMARY_COLUMNS } from '../schedule-columns.ts';

/** One row: the schedule, or nulls, and the time. */
export function getScheduleQuery({ idOrName }: GetScheduleParams): Query {
  // No name has a NUL, which the server would not take.
  const name = idOrName.includes('\0') ? null : idOrName;
  return {
    name: 'get_schedule',
    text: `select ${SCHEDULE_RECORD_COLUMNS}, now
      from (select {schema}.clock_ms() as now) c left join {schema}.get_schedule($1, $2) s on true`,
    values: [isJobId(idOrName) ? idOrName : null, name],
  };
}

/** A row for each of the page, at least one, which then holds nulls; the last column is how many there are in all. */
export function listSchedulesQuery({ states, limit, offset }: ListSchedulesParams): Query {
  return {
    name: 'list_schedules',
    text: `select ${SCHEDULE_SUMMARY_COLUMNS}, total
      from (select {schema}.count_schedules($1) as total) c
        left join {schema}.list_schedules($1, $2, $3) with ordinality s on true
      order by s.ordinality`,
    values: [arrayLiteral(states), limit, offset],
  };
}

export function listDueSchedulesQuery({ limit }: ListDueSchedulesParams): Query {
  return {
    name: 'list_due_schedules',
    text: `select ${SCHEDULE_SUMMARY_COLUMNS} from {schema}.list_due_schedules($1)`,
    values: [limit],
  };
}

/** The last row has no id: it tells how long it is until the next is due, and the time. */
export function readDueSchedules(rows: readonly Row[], lanes: Lanes): ListDueSchedulesResult {
  const [, , , , nextDueInMs, , , , now] = rows.at(-1) as Row;
  return {
    schedules: rows.slice(0, -1).map((row) => readScheduleSummary(row, lanes)),
    now: Number(now),
    nextDueInMs: readNumber(nextDueInMs),
  };
}
