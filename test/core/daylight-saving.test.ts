import { describe, expect, it } from 'vitest';
import { parseRecurrence } from '../../src/core/schedule.ts';

const MINUTE_MS = 60_000;

/** The occurrences from an instant up to another, as the clocks show them and how far they are ahead of UTC then. */
function localTimes(cron: string, timezone: string, from: string, to: string): string[] {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return parseRecurrence(cron, timezone)
    .firstOf(start - 1, end - 1, 1000)
    .map((at) => {
      const shown = new Intl.DateTimeFormat('sv-SE', {
        timeZone: timezone,
        dateStyle: 'short',
        timeStyle: 'medium',
      }).format(at);
      const hours = (Date.parse(`${shown.replace(' ', 'T')}Z`) - at) / (60 * MINUTE_MS);
      return `${shown.slice(5).replace(/:00$/, '')} ${hours < 0 ? '' : '+'}${hours}`;
    });
}

/** Minutes between one occurrence and the next. */
function gaps(cron: string, timezone: string, from: string, to: string): number[] {
  const occurrences = parseRecurrence(cron, timezone).firstOf(Date.parse(from) - 1, Date.parse(to), 200_000);
  return occurrences.slice(1).map((at, i) => (at - (occurrences[i] as number)) / MINUTE_MS);
}

describe('a local time that does not exist', () => {
  it.each([
    ['15 2 * * *', ['03-09 02:15 -5', '03-10 03:15 -4', '03-11 02:15 -4']],
    ['30 2 * * *', ['03-09 02:30 -5', '03-10 03:30 -4', '03-11 02:30 -4']],
    ['0 30 2 * * *', ['03-09 02:30 -5', '03-10 03:30 -4', '03-11 02:30 -4']],
    ['59 59 2 * * *', ['03-09 02:59:59 -5', '03-10 03:59:59 -4', '03-11 02:59:59 -4']],
    ['0 2 * * *', ['03-09 02:00 -5', '03-10 03:00 -4', '03-11 02:00 -4']],
    ['0 3 * * *', ['03-09 03:00 -5', '03-10 03:00 -4', '03-11 03:00 -4']],
    ['59 1 * * *', ['03-09 01:59 -5', '03-10 01:59 -5', '03-11 01:59 -4']],
  ])('happens once, as long after the change as it would have: %s in New York', (cron, expected) => {
    expect(localTimes(cron, 'America/New_York', '2024-03-09T06:00Z', '2024-03-11T12:00Z')).toEqual(expected);
  });

  it('is merged with what happens then anyway', () => {
    expect(localTimes('30 2,3 * * *', 'Europe/Berlin', '2024-03-31T00:00Z', '2024-04-01T00:00Z')).toEqual([
      '03-31 03:30 +2',
    ]);
    expect(localTimes('*/20 2-3 * * *', 'Europe/Berlin', '2024-03-31T00:00Z', '2024-04-01T00:00Z')).toEqual([
      '03-31 03:00 +2',
      '03-31 03:20 +2',
      '03-31 03:40 +2',
    ]);
  });

  it('is shifted by half an hour on Lord Howe', () => {
    const day = ['2024-10-05T13:30Z', '2024-10-06T13:00Z'] as const;
    expect(localTimes('0 2 * * *', 'Australia/Lord_Howe', ...day)).toEqual(['10-06 02:30 +11']);
    expect(localTimes('15 2 * * *', 'Australia/Lord_Howe', ...day)).toEqual(['10-06 02:45 +11']);
    expect(localTimes('30 2 * * *', 'Australia/Lord_Howe', ...day)).toEqual(['10-06 02:30 +11']);
    expect(localTimes('0,30 2 * * *', 'Australia/Lord_Howe', ...day)).toEqual(['10-06 02:30 +11']);
  });

  it('is shifted by two hours at Troll', () => {
    expect(localTimes('30 2 * * *', 'Antarctica/Troll', '2024-03-30T12:00Z', '2024-03-31T12:00Z')).toEqual([
      '03-31 04:30 +2',
    ]);
  });

  it('can be midnight, and counts as of the day that it is of', () => {
    const beirut = ['Asia/Beirut', '2024-03-30T12:00Z', '2024-04-01T12:00Z'] as const;
    expect(localTimes('0 0 * * *', ...beirut)).toEqual(['03-31 01:00 +3', '04-01 00:00 +3']);
    expect(localTimes('30 0 * * 0', ...beirut)).toEqual(['03-31 01:30 +3']);
    expect(localTimes('0 0 31 3 *', ...beirut)).toEqual(['03-31 01:00 +3']);
    expect(localTimes('59 23 * * *', ...beirut)).toEqual(['03-30 23:59 +2', '03-31 23:59 +3']);
    const cairo = ['Africa/Cairo', '2024-04-25T12:00Z', '2024-04-26T12:00Z'] as const;
    expect(localTimes('45 0 * * 5', ...cairo)).toEqual(['04-26 01:45 +3']);
  });

  it('can be of a whole day: Apia had no December 30 in 2011', () => {
    const days = ['Pacific/Apia', '2011-12-29T10:00Z', '2012-01-01T10:00Z'] as const;
    expect(localTimes('30 12 30 12 *', ...days)).toEqual(['12-31 12:30 +14']);
    expect(localTimes('30 12 * * *', ...days)).toEqual(['12-29 12:30 -10', '12-31 12:30 +14', '01-01 12:30 +14']);
    expect(localTimes('0 0 * * 5', ...days)).toEqual(['12-31 00:00 +14']);
    expect(new Set(gaps('*/15 * * * *', ...days))).toEqual(new Set([15]));
  });
});

describe('a local time that exists twice', () => {
  it.each([
    ['0 1 * * *', ['11-03 01:00 -4', '11-04 01:00 -5']],
    ['30 1 * * *', ['11-03 01:30 -4', '11-04 01:30 -5']],
    ['59 59 1 * * *', ['11-03 01:59:59 -4', '11-04 01:59:59 -5']],
    ['0 2 * * *', ['11-03 02:00 -5', '11-04 02:00 -5']],
    ['30 0 * * *', ['11-03 00:30 -4', '11-04 00:30 -5']],
    ['*/30 1-2 * * 0', ['11-03 01:00 -4', '11-03 01:30 -4', '11-03 02:00 -5', '11-03 02:30 -5']],
  ])('happens the first time only: %s in New York', (cron, expected) => {
    expect(localTimes(cron, 'America/New_York', '2024-11-03T04:00Z', '2024-11-04T12:00Z')).toEqual(expected);
  });

  it('does not happen again for who asks in the second pass', () => {
    const recurrence = parseRecurrence('30 1 * * *', 'America/New_York');
    const nextDay = Date.parse('2024-11-04T06:30Z');
    for (const asked of ['2024-11-03T05:30Z', '2024-11-03T06:00Z', '2024-11-03T06:29Z', '2024-11-03T06:30Z']) {
      expect(recurrence.next(Date.parse(asked))).toBe(nextDay);
    }
    expect(recurrence.next(Date.parse('2024-11-03T05:29Z'))).toBe(Date.parse('2024-11-03T05:30Z'));
  });

  it('may be before midnight', () => {
    const cairo = ['Africa/Cairo', '2024-10-31T12:00Z', '2024-11-01T12:00Z'] as const;
    expect(localTimes('30 23 * * *', ...cairo)).toEqual(['10-31 23:30 +3']);
    expect(localTimes('0 0 * * *', ...cairo)).toEqual(['11-01 00:00 +2']);
  });

  it('is half an hour on Lord Howe, and two at Troll', () => {
    const lordHowe = ['Australia/Lord_Howe', '2024-04-06T13:00Z', '2024-04-07T13:00Z'] as const;
    expect(localTimes('45 1 * * *', ...lordHowe)).toEqual(['04-07 01:45 +11']);
    expect(localTimes('15 1 * * *', ...lordHowe)).toEqual(['04-07 01:15 +11']);
    expect(localTimes('0 2 * * *', ...lordHowe)).toEqual(['04-07 02:00 +10.5']);
    const troll = ['Antarctica/Troll', '2024-10-26T22:00Z', '2024-10-27T22:00Z'] as const;
    expect(localTimes('0 1-3 * * *', ...troll)).toEqual(['10-27 01:00 +2', '10-27 02:00 +2', '10-27 03:00 +0']);
  });
});

describe('an expression that names every hour', () => {
  it.each([
    ['*/15 * * * *', 'America/New_York', 15],
    ['0 * * * *', 'America/New_York', 60],
    ['0 0-23 * * *', 'Europe/Berlin', 60],
    ['0 */1 * * *', 'Europe/Berlin', 60],
    ['*/15 * * * *', 'Australia/Lord_Howe', 15],
    ['*/30 * * * *', 'Australia/Lord_Howe', 30],
    ['*/20 * * * *', 'Antarctica/Troll', 20],
    ['*/5 * * * *', 'Africa/Casablanca', 5],
    ['*/15 * * * *', 'America/Santiago', 15],
  ])('is even in real time: %s in %s', (cron, timezone, minutes) => {
    expect(new Set(gaps(cron, timezone, '2024-01-01T00:00Z', '2025-01-01T00:00Z'))).toEqual(new Set([minutes]));
  });

  it('keeps to minutes that a change of half an hour moves: on Lord Howe the hour', () => {
    expect(localTimes('0 * * * *', 'Australia/Lord_Howe', '2024-10-05T14:00Z', '2024-10-05T18:00Z')).toEqual([
      '10-06 01:00 +10.5',
      '10-06 02:30 +11',
      '10-06 03:00 +11',
      '10-06 04:00 +11',
    ]);
    expect(localTimes('0 * * * *', 'Australia/Lord_Howe', '2024-04-06T14:00Z', '2024-04-06T17:00Z')).toEqual([
      '04-07 01:00 +11',
      '04-07 02:00 +10.5',
      '04-07 03:00 +10.5',
    ]);
  });

  it('happens in both passes when the day that it names ends in them', () => {
    expect(localTimes('*/30 * * * 4', 'Africa/Cairo', '2024-10-31T19:30Z', '2024-11-06T22:01Z')).toEqual([
      '10-31 22:30 +3',
      '10-31 23:00 +3',
      '10-31 23:30 +3',
      '10-31 23:00 +2',
      '10-31 23:30 +2',
      '11-07 00:00 +2',
    ]);
  });
});

describe('a zone', () => {
  it.each(['Africa/Casablanca', 'Africa/El_Aaiun'])('can change by the moon, as %s around Ramadan', (timezone) => {
    const daily = (from: string, to: string) => localTimes('30 2 * * *', timezone, from, to);
    expect(daily('2024-03-10T00:00Z', '2024-03-11T12:00Z')).toEqual(['03-10 02:30 +1', '03-11 02:30 +0']);
    expect(daily('2024-04-13T12:00Z', '2024-04-15T12:00Z')).toEqual(['04-14 03:30 +1', '04-15 02:30 +1']);
    expect(daily('2025-02-23T00:00Z', '2025-02-24T12:00Z')).toEqual(['02-23 02:30 +1', '02-24 02:30 +0']);
    expect(daily('2025-04-05T12:00Z', '2025-04-07T12:00Z')).toEqual(['04-06 03:30 +1', '04-07 02:30 +1']);
  });

  it.each([
    ['Asia/Kolkata', 5.5],
    ['Asia/Kathmandu', 5.75],
    ['Pacific/Kiritimati', 14],
    ['Etc/GMT+12', -12],
    ['UTC', 0],
  ])('can have no changes, as %s', (timezone, offset) => {
    const recurrence = parseRecurrence('30 2 * * *', timezone);
    let at = Date.UTC(2024, 0, 1, 2, 30) - offset * 60 * MINUTE_MS;
    for (let day = 0; day < 800; day++) {
      expect(recurrence.next(at)).toBe(at + 1440 * MINUTE_MS);
      at += 1440 * MINUTE_MS;
    }
  });

  it('has the same occurrences under its other names', () => {
    const times = (timezone: string) => parseRecurrence('30 2 * * *', timezone).firstOf(0, Date.UTC(1975, 0, 1), 1000);
    expect(times('Asia/Calcutta')).toEqual(times('Asia/Kolkata'));
    expect(times('us/eastern')).toEqual(times('America/New_York'));
  });
});
