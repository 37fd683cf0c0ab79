import { CronExpressionParser } from 'cron-parser';
import { IANAZone } from 'luxon';
import { CronCalendar, type CronFields, type DayMatch } from './cron-calendar.ts';
import { ReseolioError } from './errors.ts';
import { describeValue, LIMITS } from './options.ts';
import { Recurrence } from './recurrence.ts';
import { TimeZone } from './time-zone.ts';

const MINUTE_MS = 60_000;

const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** All that the IANA database has. */
const THREE_LETTER_ZONES = new Set([
  'CET',
  'EET',
  'EST',
  'GMT',
  'HST',
  'MET',
  'MST',
  'PRC',
  'ROC',
  'ROK',
  'UCT',
  'UTC',
  'WET',
]);

const NUMBER = String.raw`\d{1,2}`;
const MONTH = `(?:${NUMBER}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)`;
const WEEKDAY = `(?:${NUMBER}|sun|mon|tue|wed|thu|fri|sat)`;

/** What cron-parser takes is wider: it fills in what is missing, and draws `H` at random. */
const FIELDS = [
  { name: 'second', size: 60, item: itemOf(NUMBER) },
  { name: 'minute', size: 60, item: itemOf(NUMBER) },
  { name: 'hour', size: 24, item: itemOf(NUMBER) },
  { name: 'day of month', size: 31, item: itemOf(NUMBER, 'L') },
  { name: 'month', size: 12, item: itemOf(MONTH) },
  { name: 'day of week', size: 7, item: itemOf(WEEKDAY, `${WEEKDAY}(?:L|#[1-5])`) },
] as const;

/** `*`, a value, a range, any of them with a step, or what only this field has. The last group is the step. */
function itemOf(value: string, special = '(?!)'): RegExp {
  return new RegExp(`^(?:${special}|(?:[*?]|${value}(?:-${value})?)(?:/(\\d{1,2}))?)$`, 'i');
}

/**
 * Zones are few, and what is known of their changes is worth keeping. By their names in small letters: they can be
 * written in any case, and none is to be kept once for each.
 */
const zones = new Map<string, TimeZone>();

/**
 * The occurrences of a cron expression in a time zone.
 *
 * @throws ReseolioError `invalid_cron`, `invalid_timezone`.
 */
export function parseRecurrence(cron: unknown, timezone: unknown): Recurrence {
  return new Recurrence(new CronCalendar(parseCron(cron)), parseTimezone(timezone));
}

/**
 * The first occurrence of a cron expression in a time zone after an instant, Unix milliseconds.
 *
 * @throws ReseolioError `invalid_cron`, also where there is none within 28 years; `invalid_timezone`.
 */
export function firstOccurrence(cron: string, timezone: string, after: number): number {
  const first = parseRecurrence(cron, timezone).next(after);
  if (first === null) throw invalidCron(cron, 'it names no time in the next 28 years');
  return first;
}

function parseTimezone(timezone: unknown): TimeZone {
  if (typeof timezone !== 'string' || !isZoneName(timezone)) {
    throw new ReseolioError(
      'invalid_timezone',
      `${describeValue(timezone)} is no time zone: use a name of the IANA database, such as Europe/Berlin or UTC`,
    );
  }
  const known = zones.get(timezone.toLowerCase());
  if (known !== undefined) return known;
  const iana = IANAZone.create(timezone);
  const zone = new TimeZone((instant) => iana.offset(instant) * MINUTE_MS);
  zones.set(timezone.toLowerCase(), zone);
  return zone;
}

/**
 * Offsets such as +02:00 are no zones: they would be off by an hour for half of the year, without a word. Nor are
 * abbreviations, some of which Intl reads in ways of its own: BST is Dhaka to it, and AST is Anchorage.
 */
function isZoneName(timezone: string): boolean {
  if (!/^[A-Za-z]/.test(timezone)) return false;
  if (timezone.length === 3 && !THREE_LETTER_ZONES.has(timezone.toUpperCase())) return false;
  return IANAZone.isValidZone(timezone);
}

function parseCron(cron: unknown): CronFields {
  if (typeof cron !== 'string') throw invalidCron(cron, 'it is no text');
  if (cron.length > LIMITS.cronChars) throw invalidCron(cron, `it has more than ${LIMITS.cronChars} characters`);
  if (/[^\t\n\r -~]/.test(cron)) throw invalidCron(cron, 'it has characters that no cron expression has');
  const text = cron.trim();
  const fields = (MACROS.get(text.toLowerCase()) ?? text).split(/\s+/);
  assertFields(cron, fields);
  const withSeconds = fields.length === 5 ? ['0', ...fields] : fields;
  try {
    return readFields(withSeconds.join(' ').toUpperCase());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalidCron(
      cron,
      message.includes('explicit day of month') ? 'no month that it names has such a day' : message,
    );
  }
}

function assertFields(cron: string, fields: readonly string[]): void {
  if (fields[0] === '') throw invalidCron(cron, 'it is empty');
  if (fields[0]?.startsWith('@')) throw invalidCron(cron, `it is none of ${[...MACROS.keys()].join(' ')}`);
  if (fields.length !== 5 && fields.length !== 6)
    throw invalidCron(cron, `it has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}`);
  const kinds = FIELDS.slice(-fields.length);
  for (const [i, { name, size, item }] of kinds.entries()) {
    for (const given of (fields[i] as string).split(',')) {
      const match = item.exec(given);
      if (match === null) throw invalidCron(cron, `${describeValue(given)} is nothing that the ${name} can be`);
      if (Number(match[1] ?? 1) > size) throw invalidCron(cron, `a step of the ${name} is ${size} at the most`);
    }
  }
}

function readFields(cron: string): CronFields {
  const { second, minute, hour, month, dayOfMonth, dayOfWeek } = CronExpressionParser.parse(cron, { tz: 'UTC' }).fields;
  return {
    seconds: second.values,
    minutes: minute.values,
    hours: hour.values,
    months: month.values,
    isDayMatch: dayMatchOf(dayOfMonth, dayOfWeek),
  };
}

type Days = Readonly<{ isWildcard: boolean; values: readonly (number | string)[] }>;

/** If both the day of the month and that of the week are said, either is enough, as crontab(5) has it. */
function dayMatchOf(dayOfMonth: Days, dayOfWeek: Days & Readonly<{ nthDay: number }>): DayMatch {
  const monthDays = new Set(dayOfMonth.values);
  const weekDays = new Set(dayOfWeek.values.map((value) => (value === '7L' ? '0L' : value)));
  const { nthDay } = dayOfWeek;
  const isMonthDay: DayMatch = (day) =>
    monthDays.has(day.dayOfMonth) || (monthDays.has('L') && day.dayOfMonth === day.daysInMonth);
  const isWeekDay: DayMatch = (day) =>
    (weekDays.has(day.dayOfWeek) && (nthDay === 0 || Math.ceil(day.dayOfMonth / 7) === nthDay)) ||
    (weekDays.has(`${day.dayOfWeek}L`) && day.dayOfMonth > day.daysInMonth - 7);
  if (dayOfMonth.isWildcard) return dayOfWeek.isWildcard ? () => true : isWeekDay;
  return dayOfWeek.isWildcard ? isMonthDay : (day) => isMonthDay(day) || isWeekDay(day);
}

function invalidCron(cron: unknown, reason: string): ReseolioError {
  return new ReseolioError(
    'invalid_cron',
    `cron is ${describeValue(cron)}: ${reason}; use minute, hour, day of month, month, day of week, and a second before them if need be`,
  );
}
