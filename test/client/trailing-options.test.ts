import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTrailingOptions } from '../../src/client/trailing-options.ts';
import { CALL_OPTION_KEYS } from '../../src/core/options.ts';

class Options {
  readonly priority = 5;
}

describe('a trailing object is options', () => {
  test.each([...CALL_OPTION_KEYS])('that holds %s alone', (key) => {
    const options = { [key]: 1 };
    expect(findTrailingOptions(['x', options])).toBe(options);
  });

  test('that holds any choice of option keys', () => {
    const choices = fc.uniqueArray(fc.constantFrom(...CALL_OPTION_KEYS), { minLength: 1 });
    fc.assert(
      fc.property(choices, (keys) => {
        const options = Object.fromEntries(keys.map((key) => [key, null]));
        return findTrailingOptions([options]) === options;
      }),
    );
  });

  test('whatever its values, so that bad ones are refused and not taken for an argument', () => {
    expect(findTrailingOptions([{ priority: 'high' }])).not.toBeNull();
    expect(findTrailingOptions([{ idempotencyKey: undefined }])).not.toBeNull();
  });
});

describe('an argument is', () => {
  test.each<[string, unknown]>([
    ['an object with another key', { priority: 5, amount: 1 }],
    ['an object with another key only', { amount: 1 }],
    ['an object with a key that differs in case', { Priority: 5 }],
    ['an object with a symbol key', { priority: 5, [Symbol('x')]: 1 }],
    ['an object with a hidden key', Object.defineProperty({ priority: 5 }, 'amount', { value: 1 })],
    ['an empty object', {}],
    ['an instance of a class', new Options()],
    ['an object without a prototype', Object.assign(Object.create(null), { priority: 5 })],
    ['an object that inherits options', Object.create({ priority: 5 })],
    ['an array', [{ priority: 5 }]],
    ['an array with an option key', Object.assign([], { priority: 5 })],
    ['a function with an option key', Object.assign(() => {}, { priority: 5 })],
    ['a Map', new Map([['priority', 5]])],
    ['a Date', new Date(0)],
    ['null', null],
    ['undefined', undefined],
    ['a text', 'priority'],
    ['a number', 5],
  ])('%s', (_title, last) => {
    expect(findTrailingOptions(['x', last])).toBeNull();
  });

  test('an object of options that is not the last', () => {
    expect(findTrailingOptions([{ priority: 5 }, 'x'])).toBeNull();
  });

  test('any object with a key that is no option', () => {
    const foreignKeys = fc.string().filter((key) => !CALL_OPTION_KEYS.has(key) && key !== '__proto__');
    fc.assert(fc.property(foreignKeys, (key) => findTrailingOptions([{ priority: 1, [key]: 1 }]) === null));
  });

  test('nothing, where there are no arguments', () => {
    expect(findTrailingOptions([])).toBeNull();
  });
});
