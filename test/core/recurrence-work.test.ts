import { describe, expect, it } from 'vitest';
import { CronCalendar, type CronFields } from '../../src/core/cron-calendar.ts';
import { Recurrence } from '../../src/core/recurrence.ts';
import { TimeZone } from '../../src/core/time-zone.ts';

const NEW_YEAR = Date.UTC(2024, 0, 1);

describe('the work of finding an occurrence', () => {
  /** Counts how often the clocks are looked at, and how many days of the calendar. */
  function countWork(
    fields: Partial<CronFields>,
    find: (recurrence: Recurrence) => void,
  ): { clocks: number; days: number } {
    const work = { clocks: 0, days: 0 };
    const calendar = new CronCalendar({
      seconds: [0],
      minutes: [0],
      hours: [0],
      months: [2],
      ...fields,
      isDayMatch: (day) => {
        work.days++;
        return fields.isDayMatch?.(day) ?? true;
      },
    });
    const zone = new TimeZone((instant) => {
      work.clocks++;
      const month = new Date(instant).getUTCMonth();
      return month > 2 && month < 10 ? 7_200_000 : 3_600_000;
    });
    find(new Recurrence(calendar, zone));
    return work;
  }

  it('is bounded for what never comes: the days that it could come on in 28 years', () => {
    const isNever = { isDayMatch: () => false };
    const one = countWork(isNever, (recurrence) => expect(recurrence.next(NEW_YEAR)).toBeNull());
    expect(one.days).toBeLessThan(2 * 29 * 29);
    expect(one.clocks).toBeLessThan(10);
    const all = countWork({ ...isNever, months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }, (recurrence) =>
      expect(recurrence.next(NEW_YEAR)).toBeNull(),
    );
    expect(all.days).toBeLessThan(3 * 29 * 366);
    expect(all.clocks).toBeLessThan(10);
  });

  it('does not walk through the years before what comes seldom', () => {
    const isLeapDay: CronFields['isDayMatch'] = ({ dayOfMonth, daysInMonth }) =>
      dayOfMonth === 29 && daysInMonth === 29;
    const { days, clocks } = countWork({ isDayMatch: isLeapDay }, (recurrence) => {
      expect(recurrence.next(Date.UTC(2096, 2, 1))).toBe(Date.UTC(2104, 1, 29) - 3_600_000);
    });
    expect(days).toBeLessThan(5 * 8 * 29);
    expect(clocks).toBeLessThan(200);
  });

  it('looks at the clocks a few times a day at the most', () => {
    const everyMinute = { hours: [...Array(24).keys()], minutes: [...Array(60).keys()], months: [1, 2, 3] };
    const { clocks } = countWork(everyMinute, (recurrence) => {
      expect(recurrence.firstOf(NEW_YEAR, NEW_YEAR + 10 * 86_400_000, 100_000)).toHaveLength(10 * 1440);
    });
    expect(clocks).toBeLessThan(10 * 10);
  });

  it('does not look for a change again for each occurrence around it', () => {
    const everySecond = {
      hours: [...Array(24).keys()],
      minutes: [...Array(60).keys()],
      seconds: [...Array(60).keys()],
      months: [3, 4],
    };
    const change = Date.UTC(2024, 3, 1);
    const { clocks } = countWork(everySecond, (recurrence) => {
      expect(recurrence.firstOf(change - 3_600_000, change + 3_600_000, 100_000)).toHaveLength(7200);
      expect(recurrence.lastOf(change - 3_600_000, change + 3_600_000, 100)).toHaveLength(100);
    });
    expect(clocks).toBeLessThan(2000);
  });

  it('finds the last of many by halves', () => {
    const everyMinute = {
      hours: [...Array(24).keys()],
      minutes: [...Array(60).keys()],
      months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    };
    const { days } = countWork(everyMinute, (recurrence) => {
      expect(recurrence.lastOf(NEW_YEAR, NEW_YEAR + 3650 * 86_400_000, 3)).toHaveLength(3);
    });
    expect(days).toBeLessThan(2000);
  });
});
