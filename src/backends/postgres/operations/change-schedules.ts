import type { CreateScheduleParams, UpdateScheduleParams } from '../../../core/schedule-operations.ts';
import type { Lanes } from '../lanes.ts';
import type { CommitSetting, Query } from '../query.ts';
import { SCHEDULE_RECORD_COLUMNS, writeDefinition } from '../schedule-columns.ts';

/** One row: the schedule of the id, or the one that has the name. */
export function createScheduleQuery({ schedule }: CreateScheduleParams, lanes: Lanes, commit: CommitSetting): Query {
  const { id, name, nextRunAt, definition } = schedule;
  return {
    name: 'create_schedule',
    text: `select ${SCHEDULE_RECORD_COLUMNS}
      from {schema}.create_schedule($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [id, name, nextRunAt, ...writeDefinition(definition, lanes), commit],
  };
}

/**
 * A row of the schedule as it is stored, and whether that is `changed` by this call, has the `same` content at the next
 * revision, or is a `conflict`. No row: it is not there.
 */
export function updateScheduleQuery(params: UpdateScheduleParams, lanes: Lanes, commit: CommitSetting): Query {
  const { id, revision, state, nextRunAt, definition } = params;
  return {
    name: 'update_schedule',
    text: `select ${SCHEDULE_RECORD_COLUMNS}, status from (
      select u.status, (u.schedule).*
      from {schema}.update_schedule($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) u) s`,
    values: [id, revision, state, nextRunAt, ...writeDefinition(definition, lanes), commit],
  };
}
