import type {
  ListDueSchedulesResult,
  ListSchedulesParams,
  ListSchedulesResult,
} from '../../../core/schedule-operations.ts';
import { SCHEDULE_STATES, type ScheduleRecord, type ScheduleSummary } from '../../../core/schedule-record.ts';
import { type KeyRange, parseJobId, successor } from '../keys.ts';
import { scheduleIdOf, scheduleNextRun, scheduleOrderRange } from '../schedule-keys.ts';
import {
  readSchedule,
  readScheduleOfName,
  readScheduleTotals,
  scheduleStateCode,
  toScheduleRecord,
} from '../schedules.ts';
import type { Entry, Tree } from '../tree.ts';

const PAGE = 1000;

export function getSchedule(tree: Tree, idOrName: string): ScheduleRecord | null {
  const stored = readSchedule(tree, parseJobId(idOrName)) ?? readScheduleOfName(tree, idOrName);
  return stored === null ? null : toScheduleRecord(tree, stored);
}

/** The states come in the order of the list, and each has its schedules in order. */
export function listSchedules(
  tree: Tree,
  { states, limit, offset }: Readonly<ListSchedulesParams>,
): ListSchedulesResult {
  const totals = readScheduleTotals(tree);
  const schedules: ScheduleSummary[] = [];
  let total = 0;
  let toSkip = offset;
  for (const state of SCHEDULE_STATES) {
    if (!states.includes(state)) continue;
    total += totals[state];
    const skipped = Math.min(toSkip, totals[state]);
    toSkip -= skipped;
    const left = limit - schedules.length;
    if (left === 0 || skipped === totals[state]) continue;
    schedules.push(...readOrdered(tree, scheduleOrderRange(scheduleStateCode(state)), skipped, left));
  }
  return { schedules, total };
}

export function listDueSchedules(tree: Tree, limit: number, now: number): ListDueSchedulesResult {
  const schedules: ScheduleSummary[] = [];
  // One more than asked, to know when the next is due.
  const range = scheduleOrderRange(scheduleStateCode('active'));
  for (const { key } of tree.scan({ ...range, limit: limit + 1 })) {
    const nextRunAt = scheduleNextRun(key);
    if (nextRunAt > now || schedules.length === limit) {
      return {
        schedules,
        now,
        nextDueInMs: nextRunAt === Number.POSITIVE_INFINITY ? null : Math.max(0, nextRunAt - now),
      };
    }
    schedules.push(readOrderedOne(tree, key));
  }
  return { schedules, now, nextDueInMs: null };
}

function readOrdered(tree: Tree, range: KeyRange, skip: number, limit: number): ScheduleSummary[] {
  const schedules: ScheduleSummary[] = [];
  let { start } = range;
  let position = 0;
  while (schedules.length < limit) {
    const page: Entry[] = tree.scan({ start, end: range.end, limit: PAGE });
    for (const { key } of page) {
      if (position++ < skip || schedules.length === limit) continue;
      schedules.push(readOrderedOne(tree, key));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    start = successor(last.key);
  }
  return schedules;
}

function readOrderedOne(tree: Tree, orderKey: Buffer): ScheduleSummary {
  return (readSchedule(tree, scheduleIdOf(orderKey)) as { summary: ScheduleSummary }).summary;
}
