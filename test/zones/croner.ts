import { Cron } from 'croner';
import type { Comparison, Successor } from './compare.ts';
import type { PlainCron } from './plain-cron.ts';
import type { ClockChange, ZoneClock } from './zone-clock.ts';

/** Croner behind the same word. */
export function cronerSuccessor(cron: string, timezone: string): Successor {
  const job = new Cron(cron, { timezone });
  // Croner counts in whole seconds, and leaves out the one that it is asked from.
  return { next: (after) => job.nextRun(new Date(Math.floor(after / 1000) * 1000))?.getTime() ?? null };
}

/** In what croner can differ. `unexplained` is a mistake, of the library's or of this list. */
export const CRONER_DIFFERENCES = ['not-shifted', 'at-the-gap', 'both-passes', 'unexplained'] as const;
export type CronerDifference = (typeof CRONER_DIFFERENCES)[number];

/**
 * Explains each difference: `ours` are occurrences that croner has not, `theirs` those that only croner has.
 *
 * - `not-shifted`: one of ours within a gap's length after the gap, where a skipped time is shifted to.
 * - `at-the-gap`: one of theirs at the very end of a gap, where croner runs what names one time of day that was skipped.
 * - `both-passes`: one of theirs in the second pass of repeated times, of what names several times of day, but not every
 *   hour.
 */
export function explainCroner(
  clock: ZoneClock,
  { isInterval, timesOfDay }: PlainCron,
  { onlyFirst: ours, onlySecond: theirs }: Comparison,
): CronerDifference[] {
  const has = (predicate: (change: ClockChange) => boolean) => clock.changes.some(predicate);
  const isSingle = timesOfDay.length === 1;
  return [
    ...ours.map((time) =>
      has((change) => isShiftedBy(time, change)) ? ('not-shifted' as const) : ('unexplained' as const),
    ),
    ...theirs.map((time) => {
      if (isSingle) return has((change) => isEndOfGap(time, change)) ? 'at-the-gap' : 'unexplained';
      return !isInterval && has((change) => isRepeatedBy(time, change)) ? 'both-passes' : 'unexplained';
    }),
  ];
}

function isEndOfGap(time: number, { at, offset, offsetBefore }: ClockChange): boolean {
  return offset > offsetBefore && at === time;
}

function isShiftedBy(time: number, { at, offset, offsetBefore }: ClockChange): boolean {
  return time >= at && time < at + offset - offsetBefore;
}

function isRepeatedBy(time: number, { at, offset, offsetBefore }: ClockChange): boolean {
  return time >= at && time < at + offsetBefore - offset;
}
