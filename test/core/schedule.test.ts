import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/options.ts';
import { firstOccurrence, parseRecurrence } from '../../src/core/schedule.ts';

/** A Monday, and the first of a leap year. */
const NEW_YEAR = Date.UTC(2024, 0, 1);

/** The first occurrences from 2024 on, in UTC. */
function firstOf(cron: string, count: number): string[] {
  const occurrences = parseRecurrence(cron, 'UTC').firstOf(NEW_YEAR - 1, Date.UTC(2060, 0, 1), count);
  return occurrences.map((at) => new Date(at).toISOString().replace(':00.000Z', '').replace('T', ' '));
}

function refusal(cron: unknown): { code: string; message: string } {
  try {
    firstOccurrence(cron as string, 'UTC', NEW_YEAR);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error(`${String(cron)} was taken`);
}

describe('an expression', () => {
  it('has five fields, or six with the second first', () => {
    expect(firstOf('5 4 3 2 *', 1)).toEqual(['2024-02-03 04:05']);
    expect(firstOf('30 5 4 3 2 *', 1)).toEqual(['2024-02-03T04:05:30.000Z'].map((time) => time.replace('T', ' ')));
    expect(parseRecurrence('* * * * *', 'UTC').next(NEW_YEAR)).toBe(NEW_YEAR + 60_000);
    expect(parseRecurrence('* * * * * *', 'UTC').next(NEW_YEAR)).toBe(NEW_YEAR + 1000);
  });

  it('may have blanks, tabs and line ends around fields', () => {
    expect(firstOf('  5\t4  3 2 *\r\n', 1)).toEqual(['2024-02-03 04:05']);
  });

  it.each([
    ['lists', '1,31 0 1 1 *', ['2024-01-01 00:01', '2024-01-01 00:31', '2025-01-01 00:01']],
    ['ranges', '0 22-23 * * *', ['2024-01-01 22:00', '2024-01-01 23:00', '2024-01-02 22:00']],
    ['steps', '*/25 0 * * *', ['2024-01-01 00:00', '2024-01-01 00:25', '2024-01-01 00:50', '2024-01-02 00:00']],
    ['steps of a range', '10-30/20 0 * * *', ['2024-01-01 00:10', '2024-01-01 00:30', '2024-01-02 00:10']],
    ['steps from a value on', '20/20 0 * * *', ['2024-01-01 00:20', '2024-01-01 00:40', '2024-01-02 00:20']],
    ['steps as large as the field', '*/60 */24 */31 */12 *', ['2024-01-01 00:00', '2025-01-01 00:00']],
    [
      'all of these in one list',
      '1,10-12/2,58/1 0 * * *',
      ['2024-01-01 00:01', '2024-01-01 00:10', '2024-01-01 00:12', '2024-01-01 00:58'],
    ],
    ['numbers with a zero in front', '05 04 03 02 *', ['2024-02-03 04:05']],
    [
      'names of months in any case',
      '0 0 1 feb,MAR-Apr,dEC *',
      ['2024-02-01 00:00', '2024-03-01 00:00', '2024-04-01 00:00', '2024-12-01 00:00'],
    ],
    [
      'names of weekdays in any case',
      '0 0 * * wed,FRI-Sat',
      ['2024-01-03 00:00', '2024-01-05 00:00', '2024-01-06 00:00', '2024-01-10 00:00'],
    ],
    ['0 for Sunday', '0 0 * * 0', ['2024-01-07 00:00', '2024-01-14 00:00']],
    ['7 for Sunday', '0 0 * * 7', ['2024-01-07 00:00', '2024-01-14 00:00']],
    [
      'ranges up to Sunday',
      '0 0 * * 5-7',
      ['2024-01-05 00:00', '2024-01-06 00:00', '2024-01-07 00:00', '2024-01-12 00:00'],
    ],
    ['a question mark for a star', '0 0 1 * ?', ['2024-01-01 00:00', '2024-02-01 00:00']],
    ['a question mark for a star', '0 0 ? * 2', ['2024-01-02 00:00', '2024-01-09 00:00']],
    [
      'the last day of the month',
      '0 0 L * *',
      ['2024-01-31 00:00', '2024-02-29 00:00', '2024-03-31 00:00', '2024-04-30 00:00'],
    ],
    [
      'the last day beside others',
      '0 0 15,L 2 *',
      ['2024-02-15 00:00', '2024-02-29 00:00', '2025-02-15 00:00', '2025-02-28 00:00'],
    ],
    ['the last weekday of its kind', '0 0 * * 5L', ['2024-01-26 00:00', '2024-02-23 00:00', '2024-03-29 00:00']],
    [
      'the last weekday of its kind, by name',
      '0 0 * * friL',
      ['2024-01-26 00:00', '2024-02-23 00:00', '2024-03-29 00:00'],
    ],
    ['the last Sunday as 0', '0 0 * * 0L', ['2024-01-28 00:00', '2024-02-25 00:00', '2024-03-31 00:00']],
    ['the last Sunday as 7', '0 0 * * 7L', ['2024-01-28 00:00', '2024-02-25 00:00', '2024-03-31 00:00']],
    ['the nth weekday of its kind', '0 0 * * 5#2', ['2024-01-12 00:00', '2024-02-09 00:00', '2024-03-08 00:00']],
    [
      'the nth weekday of its kind, by name',
      '0 0 * * Tue#1',
      ['2024-01-02 00:00', '2024-02-06 00:00', '2024-03-05 00:00'],
    ],
    ['the first Sunday as 7', '0 0 * * 7#1', ['2024-01-07 00:00', '2024-02-04 00:00', '2024-03-03 00:00']],
    [
      'a fifth weekday only where there is one',
      '0 0 * * 1#5',
      ['2024-01-29 00:00', '2024-04-29 00:00', '2024-07-29 00:00'],
    ],
    [
      'day of month or weekday, where both are said',
      '0 0 4 * 3',
      ['2024-01-03 00:00', '2024-01-04 00:00', '2024-01-10 00:00', '2024-01-17 00:00'],
    ],
    [
      'steps of days as said',
      '0 0 */16 * 3',
      ['2024-01-01 00:00', '2024-01-03 00:00', '2024-01-10 00:00', '2024-01-17 00:00'],
    ],
  ])('takes %s: %s', (_, cron, expected) => {
    expect(firstOf(cron, expected.length)).toEqual(expected);
  });

  it.each([
    ['@yearly', ['2024-01-01 00:00', '2025-01-01 00:00']],
    ['@annually', ['2024-01-01 00:00', '2025-01-01 00:00']],
    ['@monthly', ['2024-01-01 00:00', '2024-02-01 00:00']],
    ['@weekly', ['2024-01-07 00:00', '2024-01-14 00:00']],
    ['@daily', ['2024-01-01 00:00', '2024-01-02 00:00']],
    ['@Midnight', ['2024-01-01 00:00', '2024-01-02 00:00']],
    [' @HOURLY ', ['2024-01-01 00:00', '2024-01-01 01:00']],
  ])('can be %s', (cron, expected) => {
    expect(firstOf(cron, expected.length)).toEqual(expected);
  });

  it('can name what seldom comes', () => {
    expect(firstOf('0 0 29 2 *', 3)).toEqual(['2024-02-29 00:00', '2028-02-29 00:00', '2032-02-29 00:00']);
    expect(firstOf('0 0 * 2 1#5', 1)).toEqual(['2044-02-29 00:00']);
    expect(firstOf('0 0 31 2,12 *', 2)).toEqual(['2024-12-31 00:00', '2025-12-31 00:00']);
    expect(parseRecurrence('0 0 29 2 *', 'UTC').next(Date.UTC(2096, 2, 1))).toBe(Date.UTC(2104, 1, 29));
  });
});

describe('an expression is refused as invalid_cron', () => {
  it.each([
    ['', 'it is empty'],
    [' \t ', 'it is empty'],
    ['*', 'it has 1 field'],
    ['* * * *', 'it has 4 fields'],
    ['* * * * * * *', 'it has 7 fields'],
    ['0 0 * * * 2024 *', 'it has 7 fields'],
    ['@reboot', 'it is none of @yearly'],
    ['@every 5m', 'it is none of @yearly'],
    ['@secondly', 'it is none of @yearly'],
    ['*/0 * * * *', 'cannot repeat at every 0 time'],
    ['*/61 * * * *', 'a step of the minute is 60 at the most'],
    ['*/61 * * * * *', 'a step of the second is 60 at the most'],
    ['0 */25 * * *', 'a step of the hour is 24 at the most'],
    ['0 0 */32 * *', 'a step of the day of month is 31 at the most'],
    ['0 0 1 */13 *', 'a step of the month is 12 at the most'],
    ['0 0 * * */8', 'a step of the day of week is 7 at the most'],
    ['60 * * * *', 'got value 60 expected range 0-59'],
    ['0 24 * * *', 'got value 24 expected range 0-23'],
    ['0 0 0 * *', 'got value 0 expected range 1-31'],
    ['0 0 32 * *', 'got value 32 expected range 1-31'],
    ['0 0 1 0 *', 'got value 0 expected range 1-12'],
    ['0 0 1 13 *', 'got value 13 expected range 1-12'],
    ['0 0 * * 8', 'got value 8 expected range 0-7'],
    ['50-70 * * * *', 'got range 50-70 expected range 0-59'],
    ['0 0 * * fri-mon', 'Invalid range: 5-1'],
    ['1,1 * * * *', 'duplicate values found: 1'],
    ['0-30/10,30 * * * *', 'duplicate values found: 30'],
    ['0 0 * * 1#2,3', 'are incompatible'],
    ['0 0 * * 1#6', '"1#6" is nothing that the day of week can be'],
    ['0 0 * * L', '"L" is nothing that the day of week can be'],
    ['0 0 L-3 * *', '"L-3" is nothing that the day of month can be'],
    ['0 0 15W * *', '"15W" is nothing that the day of month can be'],
    ['0 0 1L * *', '"1L" is nothing that the day of month can be'],
    ['H * * * *', '"H" is nothing that the minute can be'],
    ['~ * * * *', '"~" is nothing that the minute can be'],
    ['-1 * * * *', '"-1" is nothing that the minute can be'],
    ['1.5 * * * *', '"1.5" is nothing that the minute can be'],
    ['1e1 * * * *', '"1e1" is nothing that the minute can be'],
    ['0x1 * * * *', '"0x1" is nothing that the minute can be'],
    ['001 * * * *', '"001" is nothing that the minute can be'],
    ['1, * * * *', '"" is nothing that the minute can be'],
    ['1- * * * *', '"1-" is nothing that the minute can be'],
    ['1-2-3 * * * *', '"1-2-3" is nothing that the minute can be'],
    ['*/ * * * *', '"*/" is nothing that the minute can be'],
    ['*/5/5 * * * *', '"*/5/5" is nothing that the minute can be'],
    ['** * * * *', '"**" is nothing that the minute can be'],
    ['0 jan * * *', '"jan" is nothing that the hour can be'],
    ['0 0 1 sun *', '"sun" is nothing that the month can be'],
    ['0 0 1 january *', '"january" is nothing that the month can be'],
    ['0 0 30 2 *', 'no month that it names has such a day'],
    ['0 0 31 2,4,jun *', 'no month that it names has such a day'],
    ['0 0 30 2 ?', 'no month that it names has such a day'],
    ['bad', 'it has 1 field'],
  ])('%j: %s', (cron, reason) => {
    const { code, message } = refusal(cron);
    expect(code).toBe('invalid_cron');
    expect(message).toContain(`cron is ${JSON.stringify(cron)}: `);
    expect(message).toContain(reason);
    expect(message).toContain('use minute, hour, day of month');
  });

  it.each([[undefined], [null], [5], [{}], [['* * * * *']], [new String('* * * * *')]])(
    'if it is no text: %s',
    (cron) => {
      expect(refusal(cron)).toMatchObject({ code: 'invalid_cron', message: expect.stringContaining('it is no text') });
    },
  );

  it('if it names no time in the next 28 years', () => {
    // Monday, February 29: 2072, and then not before 2112, since 2100 is no leap year.
    expect(() => firstOccurrence('0 0 * 2 1#5', 'UTC', Date.UTC(2072, 2, 1))).toThrow(
      expect.objectContaining({
        code: 'invalid_cron',
        message: expect.stringContaining('no time in the next 28 years'),
      }),
    );
  });

  it(`if it is longer than ${LIMITS.cronChars} characters, blanks included`, () => {
    const longest = `${'* * * * *'.padEnd(LIMITS.cronChars)}`;
    expect(firstOccurrence(longest, 'UTC', NEW_YEAR)).toBe(NEW_YEAR + 60_000);
    expect(refusal(`${longest} `)).toMatchObject({
      code: 'invalid_cron',
      message: expect.stringContaining('more than 256 characters'),
    });
  });
});

describe('a time zone', () => {
  it.each([
    'UTC',
    'Etc/UTC',
    'GMT',
    'Europe/Berlin',
    'europe/berlin',
    'America/Argentina/Buenos_Aires',
    'Europe/Kyiv',
    'EST5EDT',
    'W-SU',
    'Etc/GMT+5',
    'cet',
  ])('can be %s', (timezone) => {
    expect(firstOccurrence('* * * * *', timezone, NEW_YEAR)).toBe(NEW_YEAR + 60_000);
  });

  it.each([
    [
      '',
      'Mars/Phobos',
      'Europe/Berlin ',
      'Europe/Berlin\n',
      'Europe',
      'Etc/Unknown',
      'localtime',
      'local',
      '__proto__',
      'constructor',
    ],
    ['+02:00', '-05:00', 'UTC+1', 'GMT+5', '2', 'Z'],
    // Intl reads these in ways of its own: BST is Dhaka to it, AST Anchorage, and SST Guadalcanal.
    ['BST', 'AST', 'SST', 'PST', 'IST', 'cst'],
    [undefined, null, 0, {}, ['UTC']],
  ])('is refused as invalid_timezone, never taken for UTC', (...given) => {
    for (const timezone of given) {
      expect(() => parseRecurrence('* * * * *', timezone)).toThrow(
        expect.objectContaining({
          code: 'invalid_timezone',
          message: expect.stringContaining('is no time zone: use a name'),
        }),
      );
    }
  });
});
