import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';

/**
 * Ends what begins with a day and has a step but no end. On the wire that is the Saturday, in the library the Sunday behind
 * it. Two digits, as no other item that comes from the wire has: so it can be written as it was read.
 */
const OPEN_END = '-06';

/**
 * The wire counts days of the week from 1 (Sunday) to 7, the library from 0. Names, wildcards and steps are the same in both.
 *
 * @throws ReseolioError `invalid_cron` for a day that the wire does not have.
 */
export function readWireCron(cron: string): string {
  return mapDays(cron, (days) => {
    const open = /^(\d+|[a-z]{3})(\/.*)$/i.exec(days);
    const [, first, step] = open ?? ['', days, ''];
    return mapNumbers(first as string, (day) => fromWire(cron, day)) + (open === null ? '' : `${OPEN_END}${step}`);
  });
}

/** The counterpart of {@link readWireCron}. */
export function writeWireCron(cron: string): string {
  return mapDays(cron, (days) => spread(days) ?? mapNumbers(days.replace(`${OPEN_END}/`, '/'), (day) => (day % 7) + 1));
}

/** A range that ends with the Sunday behind it, day by day: on the wire it would go down. Null for all else. */
function spread(item: string): string | null {
  const range = /^([0-6])-7(?:\/(\d+))?$/.exec(item);
  if (range === null) return null;
  const days: number[] = [];
  for (let day = Number(range[1]); day <= 7; day += Number(range[2] ?? 1)) days.push((day % 7) + 1);
  return [...new Set(days)].join(',');
}

function fromWire(cron: string, day: number): number {
  if (day >= 1 && day <= 7) return day - 1;
  throw new ReseolioError(
    'invalid_cron',
    `cron is ${describeValue(cron)}: the day of the week is ${day}; on the wire it is 1 (Sunday) to 7 (Saturday)`,
  );
}

/** `map` gets each item of the last field; macros and what has no such field stay as they are, for others to refuse. */
function mapDays(cron: string, map: (item: string) => string): string {
  const match = /^(\s*(?:\S+\s+){4,5})(\S+)(\s*)$/.exec(cron);
  if (match === null) return cron;
  const [, before, days, after] = match as unknown as [string, string, string, string];
  return `${before}${days.split(',').map(map).join(',')}${after}`;
}

/** The days of an item: not how many of them, and not which of a month. */
function mapNumbers(item: string, map: (day: number) => number): string {
  const [, days, rest] = /^([^/#]*)(.*)$/s.exec(item) as unknown as [string, string, string];
  return days.replace(/\d+/g, (day) => String(map(Number(day)))) + rest;
}
