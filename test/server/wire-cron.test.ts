import { describe, expect, it } from 'vitest';
import { firstOccurrence } from '../../src/core/schedule.ts';
import { readWireCron, writeWireCron } from '../../src/server/wire-cron.ts';

const DAY_MS = 86_400_000;
/** A Saturday. */
const BEFORE = Date.UTC(2026, 10, 21);

/** The days of the week of a week's occurrences, in order. */
function daysOf(wireCron: string): string {
  const days: string[] = [];
  let at = firstOccurrence(readWireCron(wireCron), 'UTC', BEFORE + DAY_MS - 1);
  while (at < BEFORE + 8 * DAY_MS) {
    days.push(new Date(at).toUTCString().slice(0, 3));
    at = firstOccurrence(readWireCron(wireCron), 'UTC', at);
  }
  return days.join(' ');
}

describe('days of the week on the wire', () => {
  it.each([
    ['*', 'Sun Mon Tue Wed Thu Fri Sat'],
    ['1-7', 'Sun Mon Tue Wed Thu Fri Sat'],
    ['1', 'Sun'],
    ['2', 'Mon'],
    ['7', 'Sat'],
    ['2-6', 'Mon Tue Wed Thu Fri'],
    ['1,7', 'Sun Sat'],
    ['SUN,sat', 'Sun Sat'],
    ['*/2', 'Sun Tue Thu Sat'],
    ['2/2', 'Mon Wed Fri'],
    ['MON/2', 'Mon Wed Fri'],
    ['mon-sat/2', 'Mon Wed Fri'],
    ['2-7/2', 'Mon Wed Fri'],
    ['3/4,2', 'Mon Tue Sat'],
    ['7/2', 'Sat'],
  ])('%s are %s, and are echoed as they were sent', (days, meant) => {
    const sent = `0 9 * * ${days}`;
    expect(daysOf(sent)).toBe(meant);
    expect(writeWireCron(readWireCron(sent))).toBe(sent);
  });

  it.each([
    ['6L', 5],
    ['6#2', 5],
    ['1#5', 0],
  ])('%s is about the day and not the week', (days, day) => {
    const at = firstOccurrence(readWireCron(`0 9 * * ${days}`), 'UTC', BEFORE);
    expect(new Date(at).getUTCDay()).toBe(day);
    expect(writeWireCron(readWireCron(`0 9 * * ${days}`))).toBe(`0 9 * * ${days}`);
  });

  it.each(['0', '8', '0-6', '1,0', '99', '00'])('%s is none', (days) => {
    expect(() => readWireCron(`0 9 * * ${days}`)).toThrow(expect.objectContaining({ code: 'invalid_cron' }));
  });

  it('shows the Sunday of a schedule that the library made as 1, be it 0 or 7 there', () => {
    expect(writeWireCron('0 9 * * 0')).toBe('0 9 * * 1');
    expect(writeWireCron('0 9 * * 7')).toBe('0 9 * * 1');
    expect(writeWireCron('0 9 * * 5-7')).toBe('0 9 * * 6,7,1');
    expect(writeWireCron('0 9 * * 1-7/2')).toBe('0 9 * * 2,4,6,1');
    expect(writeWireCron('0 9 * * 0-7')).toBe('0 9 * * 1,2,3,4,5,6,7');
  });
});
