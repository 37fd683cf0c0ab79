import { describe, expect, it } from 'vitest';
import { TimeZone } from '../../src/core/time-zone.ts';

const HOUR = 3_600_000;
const [SPRING, AUTUMN] = [Date.UTC(2024, 2, 31, 1), Date.UTC(2024, 9, 27, 1)];

function makeZone(): TimeZone {
  return new TimeZone((instant) => (instant >= SPRING && instant < AUTUMN ? 2 * HOUR : HOUR));
}

describe('the segment of an instant', () => {
  it('begins with the change before it, to the millisecond', () => {
    for (const since of [0, 1, HOUR, 25 * HOUR]) {
      expect(makeZone().segmentAt(SPRING + since)).toMatchObject({
        start: SPRING,
        offset: 2 * HOUR,
        offsetBefore: HOUR,
      });
      expect(makeZone().segmentAt(AUTUMN + since)).toMatchObject({
        start: AUTUMN,
        offset: HOUR,
        offsetBefore: 2 * HOUR,
      });
    }
  });

  it('ends with the change after it, to the millisecond', () => {
    for (const before of [1, HOUR, 25 * HOUR, 51 * HOUR]) {
      expect(makeZone().segmentAt(SPRING - before)).toMatchObject({ end: SPRING, offset: HOUR, offsetBefore: HOUR });
      expect(makeZone().segmentAt(AUTUMN - before)).toMatchObject({ end: AUTUMN, offset: 2 * HOUR });
    }
  });

  it('has no change in it where there is none for days', () => {
    const { offset, offsetBefore, start, end } = makeZone().segmentAt(Date.UTC(2024, 5, 1));
    expect([offset, offsetBefore]).toEqual([2 * HOUR, 2 * HOUR]);
    expect(start).toBeLessThan(Date.UTC(2024, 5, 1));
    expect(end).toBeGreaterThan(Date.UTC(2024, 5, 1));
  });

  it('is found for parts of a millisecond right after a change, and right before it', () => {
    for (const change of [SPRING, AUTUMN]) {
      for (const part of [0.001, 0.25, 0.5, 0.999]) {
        expect(makeZone().segmentAt(change + part).start).toBe(change);
        expect(makeZone().segmentAt(change - part).end).toBe(change);
      }
    }
  });

  it('is the same whatever was asked before', () => {
    const zone = makeZone();
    const steps = [0, 1, 20 * HOUR, 25 * HOUR, -1, -HOUR, -25 * HOUR, -50 * HOUR, 40 * HOUR, 60 * HOUR, -60 * HOUR];
    for (const first of steps) {
      for (const second of steps) {
        zone.segmentAt(SPRING + first);
        const { offset, start, offsetBefore, end } = zone.segmentAt(SPRING + second);
        expect(offset).toBe(second >= 0 ? 2 * HOUR : HOUR);
        expect(end).toBeGreaterThan(SPRING + second);
        if (second < 0) expect(end).toBeLessThanOrEqual(SPRING);
        if (second >= 0 && second < 26 * HOUR) expect([start, offsetBefore]).toEqual([SPRING, HOUR]);
      }
    }
  });
});
