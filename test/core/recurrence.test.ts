import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecurrence } from '../../src/core/schedule.ts';
import { BruteForce } from '../zones/brute-force.ts';
import { PlainCron } from '../zones/plain-cron.ts';
import { MINUTE_MS, readZoneClock } from '../zones/zone-clock.ts';

const DAY = 24 * 60;

/** Each with what makes it odd in the days from there on. */
const PLACES = [
  { timezone: 'America/New_York', from: '2024-03-06' },
  { timezone: 'America/New_York', from: '2024-10-30' },
  { timezone: 'Australia/Lord_Howe', from: '2024-04-03' },
  { timezone: 'Australia/Lord_Howe', from: '2024-10-02' },
  { timezone: 'Antarctica/Troll', from: '2024-03-27' },
  { timezone: 'Antarctica/Troll', from: '2024-10-23' },
  { timezone: 'Africa/Cairo', from: '2024-04-23' },
  { timezone: 'Africa/Cairo', from: '2024-10-28' },
  { timezone: 'America/Santiago', from: '2024-04-03' },
  { timezone: 'America/Santiago', from: '2024-09-04' },
  { timezone: 'Pacific/Apia', from: '2011-12-27' },
  { timezone: 'Asia/Kathmandu', from: '2024-02-26' },
] as const;

/** A star, or values from `min` to `max`, with ranges and steps among them. None overlap, since no value may come twice. */
function fieldOf(min: number, max: number, steps: readonly number[]): fc.Arbitrary<string> {
  const value = fc.integer({ min, max });
  const list = fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((values) => values.join(','));
  const range = fc
    .tuple(value, value, fc.constantFrom(1, ...steps))
    .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}/${step}`);
  const stepped = fc.constantFrom(...steps).map((step) => `*/${step}`);
  return fc.oneof(fc.constant('*'), list, range, ...(min === 0 ? [stepped] : []));
}

const CRON = fc
  .tuple(
    fieldOf(0, 59, [5, 7, 15, 20, 30]),
    fc.oneof(
      fc.constant('*'),
      fieldOf(0, 4, [2]).filter((field) => !field.startsWith('*')),
      fieldOf(0, 23, [2, 5]),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, fieldOf(1, 31, [2])),
    fc.constantFrom('*', '2,3,4', '9-12', '3-12'),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      fieldOf(0, 6, [3]).filter((field) => !field.startsWith('*/')),
    ),
  )
  .map((fields) => fields.join(' '));

/** An expression at a place, and what the oracle has of it in twelve days. Milliseconds. */
const CASE = fc.record({ cron: CRON, place: fc.constantFrom(...PLACES) }).map(({ cron, place }) => {
  const from = Date.parse(place.from) / MINUTE_MS;
  const oracle = new BruteForce([new PlainCron(cron)], from, from + 12 * DAY);
  const [occurrences = []] = oracle.walk(readZoneClock(place.timezone, ...oracle.clockRange));
  return {
    ...place,
    cron,
    start: from * MINUTE_MS,
    end: (from + 12 * DAY) * MINUTE_MS,
    expected: occurrences.map((minute) => minute * MINUTE_MS),
  };
});

/** A share of a stretch of time, off the full second. */
const SHARE = fc.double({ min: 0, max: 1, noNaN: true });

describe('next', () => {
  it('is the first occurrence of the oracle after any instant', () => {
    fc.assert(
      fc.property(
        CASE,
        fc.array(SHARE, { minLength: 20, maxLength: 20 }),
        ({ cron, timezone, start, end, expected }, shares) => {
          const recurrence = parseRecurrence(cron, timezone);
          for (const share of shares) {
            const at = start + share * (end - start);
            const next = recurrence.next(at);
            const named = expected.find((occurrence) => occurrence > at);
            if (named !== undefined) expect(next).toBe(named);
            else expect(next ?? end).toBeGreaterThanOrEqual(end);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('comes from one to the next to all of them', () => {
    fc.assert(
      fc.property(CASE, ({ cron, timezone, start, end, expected }) => {
        const recurrence = parseRecurrence(cron, timezone);
        const found: number[] = [];
        for (let at = recurrence.next(start - 1); at !== null && at < end; at = recurrence.next(at)) {
          if (found.push(at) > expected.length || at !== expected[found.length - 1]) break;
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('is strictly later, by a millisecond or by a part of one', () => {
    const recurrence = parseRecurrence('30 2 * * *', 'Europe/Berlin');
    const at = Date.parse('2024-06-01T00:30Z');
    for (const before of [at - 1, at - 0.25, at - 1000]) expect(recurrence.next(before)).toBe(at);
    for (const after of [at, at + 0.25, at + 1]) expect(recurrence.next(after)).toBe(at + DAY * MINUTE_MS);
  });

  it('does not depend on what was asked before', () => {
    const instants = fc.array(fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) }), { maxLength: 30 });
    fc.assert(
      fc.property(instants, fc.constantFrom(...PLACES), (asked, { timezone }) => {
        const recurrence = parseRecurrence('30 0,1,2,23 * * *', timezone);
        const fresh = asked.map((at) => parseRecurrence('30 0,1,2,23 * * *', timezone.toUpperCase()).next(at));
        expect(asked.map((at) => recurrence.next(at))).toEqual(fresh);
        expect(asked.toReversed().map((at) => recurrence.next(at))).toEqual(fresh.toReversed());
      }),
      { numRuns: 50 },
    );
  });

  it('is null where there is none for 28 years', () => {
    expect(parseRecurrence('0 0 * 2 1#5', 'UTC').next(Date.UTC(2072, 2, 1))).toBeNull();
    expect(parseRecurrence('0 0 29 2 *', 'Pacific/Apia').next(Date.UTC(2096, 2, 2))).not.toBeNull();
  });
});

describe('firstOf and lastOf', () => {
  it('are the head and the tail of all', () => {
    fc.assert(
      fc.property(
        CASE,
        SHARE,
        SHARE,
        fc.integer({ min: 1, max: 40 }),
        ({ cron, timezone, start, end, expected }, a, b, count) => {
          const [after, until] = [Math.min(a, b), Math.max(a, b)].map((share) => start + share * (end - 1 - start)) as [
            number,
            number,
          ];
          const all = expected.filter((at) => at > after && at <= until);
          const recurrence = parseRecurrence(cron, timezone);
          expect(recurrence.firstOf(after, until, count)).toEqual(all.slice(0, count));
          expect(recurrence.lastOf(after, until, count)).toEqual(all.slice(-count));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leave out what is at the start, and take what is at the end', () => {
    const recurrence = parseRecurrence('0 * * * *', 'UTC');
    const hour = 60 * MINUTE_MS;
    expect(recurrence.firstOf(0, 3 * hour, 10)).toEqual([hour, 2 * hour, 3 * hour]);
    expect(recurrence.lastOf(0, 3 * hour, 10)).toEqual([hour, 2 * hour, 3 * hour]);
    expect(recurrence.lastOf(0, 3 * hour, 3)).toEqual([hour, 2 * hour, 3 * hour]);
    expect(recurrence.lastOf(0, 3 * hour, 2)).toEqual([2 * hour, 3 * hour]);
    expect(recurrence.lastOf(0, 3 * hour - 1, 1)).toEqual([2 * hour]);
    expect(recurrence.lastOf(hour, hour, 1)).toEqual([]);
    expect(recurrence.firstOf(hour, hour, 1)).toEqual([]);
  });

  it('find the last seconds of years without going through them', () => {
    const [start, end] = [Date.UTC(2020, 0, 1), Date.UTC(2030, 0, 1)];
    const expected = Array.from({ length: 1000 }, (_, i) => end - (999 - i) * 1000);
    expect(parseRecurrence('* * * * * *', 'Europe/Berlin').lastOf(start, end, 1000)).toEqual(expected);
  });
});
