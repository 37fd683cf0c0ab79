import type { Recurrence } from './recurrence.ts';
import type { ScheduleSummary } from './schedule-record.ts';

/** With `catchUp` skip, an occurrence that is fired later than this was missed. */
export const MISSED_AFTER_MS = 60_000;

/** What a schedule that is due is to do now. */
export interface FiringPlan {
  /** Those that a job is made for, oldest first. */
  readonly occurrences: readonly number[];
  /** The first occurrence that came and gets no job; null if all get one. */
  readonly skippedFrom: number | null;
  readonly nextRunAt: number | null;
}

type DueSchedule = Pick<ScheduleSummary, 'catchUp' | 'catchUpLimit' | 'overlap'> & Readonly<{ nextRunAt: number }>;

/** What became due from `nextRunAt` up to `now`, and what of it is made up for. */
export function planFiring(schedule: DueSchedule, recurrence: Recurrence, now: number): FiringPlan {
  const { nextRunAt: first, catchUp } = schedule;
  const second = recurrence.next(first);
  const isOne = second === null || second > now;
  const due = isOne ? [first] : listDue(schedule, recurrence, now);
  const last = due.at(-1) as number;
  const occurrences = catchUp === 'skip' && now - last > MISSED_AFTER_MS ? [] : due;
  return {
    occurrences,
    skippedFrom: occurrences[0] === first ? null : first,
    nextRunAt: isOne ? second : recurrence.next(last),
  };
}

/** The occurrences that are due, as many of the last as may get a job: of those that overlap, one. */
function listDue(
  { nextRunAt: first, catchUp, catchUpLimit, overlap }: DueSchedule,
  recurrence: Recurrence,
  now: number,
): number[] {
  const count = catchUp === 'all' && overlap === 'allow' ? catchUpLimit : 1;
  const later = recurrence.lastOf(first, now, count);
  // The first is due whatever the expression says by now: the rules of a zone may have changed since it was noted.
  return later.length < count ? [first, ...later] : later;
}
