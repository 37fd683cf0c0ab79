import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReseolioError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/options.ts';
import { firstOccurrence, parseRecurrence } from '../../src/core/schedule.ts';

const NEW_YEAR = Date.UTC(2024, 0, 1);

/** Takes it, or refuses it with a code: whatever comes, nothing else. */
function codeOf(cron: unknown, timezone: unknown = 'UTC'): string {
  try {
    const next = parseRecurrence(cron, timezone).next(NEW_YEAR);
    return next === null || next > NEW_YEAR ? 'taken' : 'wrong';
  } catch (error) {
    return error instanceof ReseolioError ? error.code : `threw ${String(error)}`;
  }
}

describe('hostile expressions', () => {
  it.each([
    ['digits of other scripts', '٠ ٠ * * *', '０ ０ * * *', '१ * * * *', '² * * * *'],
    ['letters that only look like those of names', '0 0 * * ſun', '0 0 * * frı', '@wee\u212aly', '0 0 1 \u0458an *'],
    [
      'blanks that are none of ASCII',
      '0\u00a00\u00a0*\u00a0*\u00a0*',
      '\ufeff0 0 * * *',
      '0\u20280 * * *',
      '0 0 * * *\u3000',
    ],
    [
      'control characters',
      '0 0 * * *\0',
      '\x000 0 * * *',
      '0\v0 * * *',
      '0\f0 * * *',
      '0 0 * * \x1b[31m',
      '0 0 * * *\x7f',
    ],
    ['halves of characters', '0 0 * * *\ud800', '\udc00'],
    [
      'names of properties',
      '__proto__',
      '__proto__ * * * *',
      'constructor',
      '0 0 * * toString',
      '@__proto__',
      '@constructor',
    ],
    ['other languages', '* * * * * ; rm -rf /', '`id` * * * *', '$(id) * * * *', '%0a * * * *', '<b> * * * *'],
    [
      'stars and signs',
      '*****',
      '*/* * * * *',
      '*-* * * * *',
      '/ * * * *',
      '- * * * *',
      ', * * * *',
      '# * * * *',
      '0 0 * * #',
      '0 0 * * 1#',
      '0 0 * * #1',
      '?? * * * *',
    ],
    [
      'numbers of other kinds',
      '1e9 * * * *',
      'NaN * * * *',
      'Infinity * * * *',
      '-0 * * * *',
      '+1 * * * *',
      '1_0 * * * *',
      '0b1 * * * *',
      '99999999999999999999 * * * *',
    ],
  ])('are refused: %s', (_, ...crons) => {
    expect(crons.map((cron) => [cron, codeOf(cron)])).toEqual(crons.map((cron) => [cron, 'invalid_cron']));
  });

  it('are refused if long, and bounded if not', () => {
    const repeat = (item: string) => `${item.repeat(LIMITS.cronChars).slice(0, LIMITS.cronChars - 9)}1 * * * *`;
    for (const item of ['1-59/1,', '*,', '0-59,', '*/1,', '1,', ',', '9', '-', '/', '*', '?,', '0-0,', '1#1,']) {
      expect(codeOf(repeat(item))).toBe('invalid_cron');
      expect(codeOf(`${repeat(item)}${' '.repeat(10_000_000)}`)).toBe('invalid_cron');
    }
    const every = `${[...Array(60).keys()].join(',')} * * * *`;
    expect(every.length).toBeLessThanOrEqual(LIMITS.cronChars);
    expect(firstOccurrence(every, 'UTC', NEW_YEAR)).toBe(NEW_YEAR + 60_000);
  });

  it('say in their refusal what was given, but no more than a part of it', () => {
    expect(() => parseRecurrence('x'.repeat(1_000_000), 'UTC')).toThrow(
      /^cron is "x{60}"… \(1000000 characters\): .{1,200}$/,
    );
    expect(() => parseRecurrence(`${'1'.repeat(200)} * * * *`, 'UTC')).toThrow(/^.{1,500}$/);
    expect(() => parseRecurrence('* * * * *', 'x'.repeat(1_000_000))).toThrow(
      /^"x{60}"… \(1000000 characters\) is .{1,200}$/,
    );
    expect(() => parseRecurrence('\u001b[31m * * * *', 'UTC')).toThrow(/^[ -~]+$/);
  });

  it('are taken or refused with a code, whatever they are', () => {
    const word = fc.stringMatching(/^[-*?0-9,/#LWH@a-z]{1,12}$/);
    const fields = fc.array(word, { minLength: 4, maxLength: 7 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(fc.oneof(fields, fc.string({ unit: 'binary', maxLength: 300 }), fc.anything()), (cron) => {
        expect(['taken', 'invalid_cron']).toContain(codeOf(cron));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.anything()), (timezone) => {
        expect(['taken', 'invalid_timezone']).toContain(codeOf('* * * * *', timezone));
      }),
      { numRuns: 500 },
    );
  });
});
