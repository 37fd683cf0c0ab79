import { describe, expect, it } from 'vitest';
import { parseRecurrence } from '../../src/core/schedule.ts';
import { readText } from '../repository/source-files.ts';

const HOUR_MS = 3_600_000;

/** The rows of the table of examples in docs/schedules.md. */
function readExamples(): { timezone: string; cron: string; day: string; local: string; utc: string }[] {
  const [, table = ''] = readText('docs/schedules.md').split('| zone | expression |');
  const rows = (table.split('\n\n')[0] ?? '').split('\n').slice(2);
  return rows.map((row) => {
    const cells = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    const [, timezone = '', cron = '', day = '', , local = '', utc = ''] = cells;
    return { timezone, cron, day, local, utc };
  });
}

/** The times of day of the occurrences on a local day, in a zone. */
function timesOn(day: string, cron: string, timezone: string, shownIn: string): string[] {
  const noon = Date.parse(`${day}T12:00Z`);
  const show = (zone: string, at: number) =>
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at).split(' ');
  return parseRecurrence(cron, timezone)
    .firstOf(noon - 40 * HOUR_MS, noon + 40 * HOUR_MS, 1000)
    .filter((at) => show(timezone, at)[0] === day)
    .map((at) => show(shownIn, at)[1] as string);
}

describe('the examples in docs/schedules.md', () => {
  const examples = readExamples();

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('happen as it says: $cron in $timezone on $day', ({ timezone, cron, day, local, utc }) => {
    for (const [zone, said] of [
      [timezone, local],
      ['UTC', utc],
    ] as const) {
      const times = timesOn(day, cron, timezone, zone);
      // An ellipsis stands for the rest of the day.
      const shown = said.endsWith('…') ? [...times.slice(0, said.split(', ').length - 1), '…'] : times;
      expect(shown.join(', ')).toBe(said);
    }
  });
});
