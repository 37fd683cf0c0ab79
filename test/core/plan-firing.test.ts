import { describe, expect, test } from 'vitest';
import { MISSED_AFTER_MS, planFiring } from '../../src/core/plan-firing.ts';
import { parseRecurrence } from '../../src/core/schedule.ts';
import type { CatchUp, Overlap } from '../../src/core/schedule-record.ts';

const HOUR_MS = 3_600_000;
const FIRST = Date.UTC(2026, 0, 1);
const HOURLY = parseRecurrence('0 * * * *', 'UTC');

function plan(hoursLate: number, catchUp: CatchUp, overlap: Overlap = 'allow', catchUpLimit = 100) {
  const schedule = { nextRunAt: FIRST, catchUp, catchUpLimit, overlap };
  const { occurrences, skippedFrom, nextRunAt } = planFiring(schedule, HOURLY, FIRST + hoursLate * HOUR_MS);
  const hourOf = (at: number | null) => (at === null ? null : (at - FIRST) / HOUR_MS);
  return [occurrences.map(hourOf), hourOf(skippedFrom), hourOf(nextRunAt)];
}

describe('what is due alone', () => {
  test.each<CatchUp>(['latest', 'all', 'skip'])('is fired, and the next comes after it (%s)', (catchUp) => {
    expect(plan(0, catchUp)).toEqual([[0], null, 1]);
    expect(plan(MISSED_AFTER_MS / HOUR_MS, catchUp)).toEqual([[0], null, 1]);
  });

  test('is fired however late, unless missed ones are skipped', () => {
    expect(plan(0.999, 'latest')).toEqual([[0], null, 1]);
    expect(plan(0.999, 'all')).toEqual([[0], null, 1]);
    expect(plan((MISSED_AFTER_MS + 1) / HOUR_MS, 'skip')).toEqual([[], 0, 1]);
  });
});

describe('of several that were missed', () => {
  test('latest makes up for the last', () => {
    expect(plan(5.5, 'latest')).toEqual([[5], 0, 6]);
    expect(plan(1, 'latest')).toEqual([[1], 0, 2]);
    expect(plan(24 * 365 * 20, 'latest')).toEqual([[24 * 365 * 20], 0, 24 * 365 * 20 + 1]);
  });

  test('all makes up for each', () => {
    expect(plan(3.5, 'all')).toEqual([[0, 1, 2, 3], null, 4]);
  });

  test('all makes up for the last, as many as its limit allows', () => {
    expect(plan(3, 'all', 'allow', 4)).toEqual([[0, 1, 2, 3], null, 4]);
    expect(plan(4, 'all', 'allow', 4)).toEqual([[1, 2, 3, 4], 0, 5]);
    expect(plan(1_000_000, 'all', 'allow', 2)).toEqual([[999_999, 1_000_000], 0, 1_000_001]);
    expect(plan(7, 'all', 'allow', 1)).toEqual([[7], 0, 8]);
  });

  test('skip makes up for none, but fires the last if that has just come', () => {
    expect(plan(5.5, 'skip')).toEqual([[], 0, 6]);
    expect(plan(5.001, 'skip')).toEqual([[5], 0, 6]);
  });

  test('those that must not overlap make one', () => {
    expect(plan(5.5, 'all', 'skip')).toEqual([[5], 0, 6]);
    expect(plan(0.5, 'all', 'skip')).toEqual([[0], null, 1]);
  });
});

test('fires what was noted even if the expression does not name it any more', () => {
  const half = { nextRunAt: FIRST + HOUR_MS / 2, catchUp: 'all', catchUpLimit: 100, overlap: 'allow' } as const;
  expect(planFiring(half, HOURLY, FIRST + 2 * HOUR_MS).occurrences).toEqual([
    FIRST + HOUR_MS / 2,
    FIRST + HOUR_MS,
    FIRST + 2 * HOUR_MS,
  ]);
});
