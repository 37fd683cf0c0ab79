import type {
  CreateScheduleResult,
  NewSchedule,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from '../../../core/schedule-operations.ts';
import type { ScheduleSummary } from '../../../core/schedule-record.ts';
import { parseJobId } from '../keys.ts';
import { addSchedule, changeSchedule, readSchedule, readScheduleOfName, toScheduleRecord } from '../schedules.ts';
import type { WriteTransaction } from '../write-transaction.ts';

export function createSchedule(
  transaction: WriteTransaction,
  { id, name, definition, nextRunAt }: NewSchedule,
  now: number,
): CreateScheduleResult {
  const { tree } = transaction;
  const repeated = readSchedule(tree, parseJobId(id));
  if (repeated !== null) return { schedule: toScheduleRecord(tree, repeated), isNew: true };
  const existing = readScheduleOfName(tree, name);
  if (existing !== null && existing.summary.state !== 'deleted') {
    return { schedule: toScheduleRecord(tree, existing), isNew: false };
  }
  const { args, ...rule } = definition;
  const summary: ScheduleSummary = {
    ...rule,
    id,
    name,
    state: 'active',
    nextRunAt,
    lastRunAt: null,
    lastJobId: null,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
  return { schedule: toScheduleRecord(tree, addSchedule(transaction, summary, args)), isNew: true };
}

export function updateSchedule(
  transaction: WriteTransaction,
  { id, revision, definition, state, nextRunAt }: Readonly<UpdateScheduleParams>,
  now: number,
): UpdateScheduleResult {
  const { tree } = transaction;
  const stored = readSchedule(tree, parseJobId(id));
  if (stored === null || stored.summary.state === 'deleted') return { status: 'not_found' };
  if (stored.summary.revision !== revision) return { status: 'conflict' };
  const { args, ...rule } = definition;
  const summary: ScheduleSummary = {
    ...stored.summary,
    ...rule,
    state,
    nextRunAt,
    revision: revision + 1,
    updatedAt: now,
  };
  const changed = changeSchedule(transaction, stored, summary, args);
  return { status: 'changed', schedule: toScheduleRecord(tree, changed) };
}
