import { describe, expect, it } from 'vitest';
import { CronCalendar } from '../../src/core/cron-calendar.ts';
import { Recurrence } from '../../src/core/recurrence.ts';
import { parseRecurrence } from '../../src/core/schedule.ts';
import { TimeZone } from '../../src/core/time-zone.ts';
import { BruteForce } from './brute-force.ts';
import { checkZone, type SuccessorOf } from './check-zone.ts';
import { cronerSuccessor } from './croner.ts';
import { PlainCron } from './plain-cron.ts';
import { MINUTE_MS, readZoneClock } from './zone-clock.ts';

const TIMEZONE = 'America/New_York';
const IN_THE_GAP = '30 2 * * *';
const IN_THE_OVERLAP = '30 1 * * *';
const INTERVAL = '*/15 * * * *';
const EITHER_DAY = '0 12 13 * 5';

const ORACLE = new BruteForce(
  [IN_THE_GAP, IN_THE_OVERLAP, INTERVAL, EITHER_DAY].map((text) => new PlainCron(text)),
  Date.UTC(2024, 0, 1) / MINUTE_MS,
  Date.UTC(2025, 0, 1) / MINUTE_MS,
);
const CLOCK = readZoneClock(TIMEZONE, ...ORACLE.clockRange);

function offsetAt(instant: number): number {
  const change = CLOCK.changes.findLast(({ at }) => at * MINUTE_MS <= instant);
  return (change?.offset ?? CLOCK.offset) * MINUTE_MS;
}

/** Reads the expressions above, with parts of the library that a test can replace. */
function plant(
  bug: Readonly<{
    Calendar?: typeof CronCalendar;
    Zone?: typeof TimeZone;
    isEither?: boolean;
    offset?: typeof offsetAt;
  }>,
): SuccessorOf {
  const { Calendar = CronCalendar, Zone = TimeZone, isEither = true, offset = offsetAt } = bug;
  return (cron) => {
    const { timesOfDay, isInterval } = new PlainCron(cron);
    const isFriday13: [(day: { dayOfMonth: number }) => boolean, (day: { dayOfWeek: number }) => boolean] = [
      ({ dayOfMonth }) => dayOfMonth === 13,
      ({ dayOfWeek }) => dayOfWeek === 5,
    ];
    const calendar = new Calendar({
      seconds: [0],
      minutes: [...new Set(timesOfDay.map((time) => time % 60))],
      hours: isInterval ? [...Array(24).keys()] : [Math.floor((timesOfDay[0] as number) / 60)],
      months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      isDayMatch: (day) => {
        if (cron !== EITHER_DAY) return true;
        return isEither ? isFriday13.some((isNamed) => isNamed(day)) : isFriday13.every((isNamed) => isNamed(day));
      },
    });
    return new Recurrence(calendar, new Zone(offset));
  };
}

/** The expressions that something goes wrong with, and how often. */
function differencesOf(successorOf: SuccessorOf): { [cron: string]: number } {
  const findings = checkZone(ORACLE, CLOCK, 'none', successorOf);
  const wrong = findings.filter(({ differences }) => differences.length > 0);
  return Object.fromEntries(wrong.map(({ cron, differences }) => [cron, differences.length]));
}

class EveryPass extends CronCalendar {
  override get isInterval(): boolean {
    return true;
  }
}

class FirstPass extends CronCalendar {
  override get isInterval(): boolean {
    return false;
  }
}

class NoGaps extends TimeZone {
  override segmentAt(instant: number): ReturnType<TimeZone['segmentAt']> {
    const segment = super.segmentAt(instant);
    return { ...segment, offsetBefore: Math.max(segment.offset, segment.offsetBefore) };
  }
}

describe('the oracle', () => {
  it('finds nothing wrong with the library, nor with its parts put together by hand', () => {
    expect(differencesOf(parseRecurrence)).toEqual({});
    expect(differencesOf(plant({}))).toEqual({});
  });

  it('sees that repeated times happen twice', () => {
    expect(differencesOf(plant({ Calendar: EveryPass }))).toEqual({ [IN_THE_OVERLAP]: 1 });
  });

  it('sees that intervals leave out the second pass', () => {
    expect(differencesOf(plant({ Calendar: FirstPass }))).toEqual({ [INTERVAL]: 4 });
  });

  it('sees that skipped times are dropped', () => {
    expect(differencesOf(plant({ Zone: NoGaps }))).toEqual({ [IN_THE_GAP]: 1 });
  });

  it('sees that skipped times happen at the end of the gap instead of as long after it', () => {
    expect(differencesOf(cronerSuccessor)).toEqual({ [IN_THE_GAP]: 2 });
  });

  it('sees that clocks change an hour late', () => {
    const late = plant({ offset: (instant) => offsetAt(instant - 60 * MINUTE_MS) });
    expect(Object.keys(differencesOf(late))).toEqual([IN_THE_GAP]);
  });

  it('sees that a zone is taken for UTC', () => {
    const wrong = differencesOf(plant({ offset: () => 0 }));
    expect(wrong).toMatchObject({ [IN_THE_GAP]: 2 * 366, [IN_THE_OVERLAP]: 2 * 366 });
  });

  it('sees that both days are asked for where either is enough', () => {
    expect(Object.keys(differencesOf(plant({ isEither: false })))).toEqual([EITHER_DAY]);
  });

  it('sees that a time comes off the full minute', () => {
    const late: SuccessorOf = (cron, timezone) => {
      const recurrence = parseRecurrence(cron, timezone);
      return { next: (after) => (recurrence.next(after - 1000) ?? 0) + 1000 };
    };
    expect(Object.keys(differencesOf(late))).toHaveLength(4);
  });
});

describe('the comparison with croner', () => {
  it('does not explain a library that takes a zone for UTC, or fires twice or never', () => {
    const kindsOf = (successorOf: SuccessorOf) =>
      checkZone(ORACLE, CLOCK, 'changes', successorOf).flatMap(({ cronerDifferences }) =>
        cronerDifferences.map(({ kind }) => kind),
      );
    expect(kindsOf(plant({ offset: () => 0 }))).toContain('unexplained');
    expect(kindsOf(plant({ Calendar: EveryPass }))).toContain('unexplained');
    expect(kindsOf(plant({ Calendar: FirstPass }))).toContain('unexplained');
    expect(kindsOf(() => ({ next: () => null }))).toContain('unexplained');
  });
});
