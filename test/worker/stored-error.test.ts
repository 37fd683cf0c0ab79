import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NonRetryableError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/options.ts';
import { isNonRetryable, toStoredError } from '../../src/workflow/stored-error.ts';

describe('an error is stored with', () => {
  test('its name, message and stack', () => {
    const error = new TypeError('no such thing');
    expect(toStoredError(error)).toEqual({ name: 'TypeError', message: 'no such thing', stack: error.stack });
  });

  test('the same from another realm', () => {
    const error = runInNewContext("new RangeError('far')");
    expect(toStoredError(error)).toMatchObject({ name: 'RangeError', message: 'far', stack: expect.any(String) });
  });

  test('its causes in the stack, and the errors of an AggregateError', () => {
    const root = new Error('root cause');
    const error = new Error('outer', { cause: new Error('middle', { cause: root }) });
    expect(toStoredError(error).stack).toMatch(
      /outer[\s\S]+Caused by: Error: middle[\s\S]+Caused by: Error: root cause/,
    );
    const all = new AggregateError([new Error('first'), 'second'], 'all failed');
    expect(toStoredError(all).stack).toMatch(/all failed[\s\S]+Caused by: Error: first[\s\S]+Caused by: second/);
  });

  test('a circle of causes once', () => {
    const [a, b]: Error[] = [new Error('a'), new Error('b')];
    Object.assign(a as Error, { cause: b });
    Object.assign(b as Error, { cause: a });
    expect(toStoredError(a).stack?.match(/Caused by/g)).toHaveLength(1);
  });

  test('texts of bounded length', () => {
    const error = Object.assign(new Error('m'.repeat(10_000)), { name: 'n'.repeat(1000), stack: 's'.repeat(100_000) });
    const stored = toStoredError(error);
    expect(stored.message).toHaveLength(LIMITS.errorMessageChars);
    expect(stored.stack).toHaveLength(LIMITS.errorStackChars);
    expect(stored.name.length).toBeLessThanOrEqual(128);
    expect(stored.message.endsWith('…')).toBe(true);
  });

  test('well-formed text, also where a surrogate pair is cut in half', () => {
    const message = `${'m'.repeat(LIMITS.errorMessageChars - 2)}😀${'m'.repeat(9)}`;
    expect(toStoredError(new Error(message)).message.isWellFormed()).toBe(true);
    expect(toStoredError('\ud800').message.isWellFormed()).toBe(true);
  });
});

describe('a thrown value that is no error', () => {
  test.each<[unknown, string]>([
    ['plain text', 'plain text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    [Symbol('s'), 'Symbol(s)'],
    [{ code: 5 }, '{ code: 5 }'],
    [[1, 2], '[ 1, 2 ]'],
  ])('%o is stored as %s', (thrown, message) => {
    expect(toStoredError(thrown)).toEqual({ name: 'Error', message, stack: null });
  });

  test('with a message is stored by it', () => {
    expect(toStoredError({ name: 'Oops', message: 'no' })).toEqual({ name: 'Oops', message: 'no', stack: null });
  });

  test('with getters that throw is stored all the same', () => {
    const hostile = new Error('hidden');
    for (const key of ['stack', 'name', 'message', 'cause']) {
      Object.defineProperty(hostile, key, {
        get() {
          throw new Error('no');
        },
      });
    }
    expect(toStoredError(hostile)).toEqual({ name: 'Error', message: '', stack: null });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(toStoredError(proxy)).toEqual({ name: 'Error', message: expect.any(String), stack: null });
    expect(isNonRetryable(proxy)).toBe(false);
  });

  test('whatever it is, is stored', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }), (thrown) => {
        const { name, message, stack } = toStoredError(thrown);
        expect(name.length).toBeGreaterThan(0);
        expect(message.length).toBeLessThanOrEqual(LIMITS.errorMessageChars);
        expect(stack?.length ?? 0).toBeLessThanOrEqual(LIMITS.errorStackChars);
      }),
    );
  });
});

test('NonRetryableError is known by its class and by its name', () => {
  expect(isNonRetryable(new NonRetryableError('x'))).toBe(true);
  expect(isNonRetryable(Object.assign(new NonRetryableError('x'), { name: 'CardError' }))).toBe(true);
  expect(isNonRetryable({ name: 'NonRetryableError', message: 'x' })).toBe(true);
  expect(isNonRetryable(new Error('NonRetryableError'))).toBe(false);
  expect(isNonRetryable('NonRetryableError')).toBe(false);
  expect(isNonRetryable(null)).toBe(false);
});
