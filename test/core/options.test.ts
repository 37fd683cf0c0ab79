import { describe, expect, it } from 'vitest';
import { ReseolioError } from '../../src/core/errors.ts';
import {
  assertJobName,
  assertNumber,
  type CallOptions,
  DEFAULT_JOB_OPTIONS,
  describeValue,
  LIMITS,
  resolveCallOptions,
  resolveJobOptions,
} from '../../src/core/options.ts';

function refusalOf(call: () => unknown): ReseolioError {
  try {
    call();
  } catch (error) {
    if (error instanceof ReseolioError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** What a caller without types could pass. */
function resolveUntyped(given: unknown): unknown {
  return resolveCallOptions(given as CallOptions, DEFAULT_JOB_OPTIONS);
}

const NONE = { idempotencyKey: null, delayMs: null, runAt: null, priority: 0, tx: null };

describe('names', () => {
  it.each(['a', 'Z', '0', 'notifications:email:send', 'a/b.c_d-e', 'x'.repeat(128)])('takes %j', (name) => {
    expect(() => assertJobName(name)).not.toThrow();
  });

  it.each([
    '',
    ':a',
    '.a',
    '-a',
    '_a',
    '/a',
    'a b',
    'a\n',
    '\na',
    'é',
    'a\u0000',
    'x'.repeat(129),
    undefined,
    null,
    7,
    {},
    ['a'],
  ])('refuses %j', (name) => {
    expect(refusalOf(() => assertJobName(name)).code).toBe('invalid_name');
  });
});

describe('job options', () => {
  it('have the documented defaults', () => {
    expect(resolveJobOptions({})).toEqual({
      maxAttempts: 3,
      backoff: 'exponential',
      initialDelayMs: 1000,
      maxDelayMs: 60_000,
      timeoutMs: 30_000,
      jitter: 0.1,
    });
  });

  it('lie over those of the function, which lie over the defaults', () => {
    const base = resolveJobOptions({ maxAttempts: 5, backoff: 'fixed' });
    expect(resolveJobOptions({ maxAttempts: 7, jitter: 0 }, base)).toEqual({
      ...DEFAULT_JOB_OPTIONS,
      maxAttempts: 7,
      backoff: 'fixed',
      jitter: 0,
    });
  });

  it('take undefined for not given', () => {
    const given = { maxAttempts: undefined, backoff: undefined, jitter: undefined } as never;
    expect(resolveJobOptions(given)).toEqual(DEFAULT_JOB_OPTIONS);
  });

  it.each([
    ['maxAttempts', 1, LIMITS.maxAttempts],
    ['initialDelayMs', 0, LIMITS.backoffDelayMs],
    ['maxDelayMs', 0, LIMITS.backoffDelayMs],
    ['timeoutMs', 1, LIMITS.timeoutMs],
    ['jitter', 0, 1],
  ] as const)('take %s from %d to %d and nothing else', (key, min, max) => {
    for (const value of [min, max]) expect(resolveJobOptions({ [key]: value })[key]).toBe(value);
    const wrong = [
      min - 1,
      min - 1e-9,
      max + 1,
      Number.NaN,
      Infinity,
      -Infinity,
      '5',
      null,
      5n,
      true,
      {},
      [5],
      new Date(5),
    ];
    for (const value of wrong) {
      const error = refusalOf(() => resolveJobOptions({ [key]: value } as never));
      expect(error.code).toBe('invalid_option');
      expect(error.message).toContain(`${key} is ${describeValue(value)}`);
    }
  });

  it('take fractions of milliseconds, but whole attempts only', () => {
    expect(resolveJobOptions({ initialDelayMs: 0.5, maxDelayMs: 1.5, timeoutMs: 1.25 }).timeoutMs).toBe(1.25);
    expect(refusalOf(() => resolveJobOptions({ maxAttempts: 1.5 })).message).toContain('a whole number');
  });

  it('refuse an unknown backoff', () => {
    for (const backoff of ['Linear', '', null, 3, 'toString']) {
      const error = refusalOf(() => resolveJobOptions({ backoff } as never));
      expect(error.code).toBe('invalid_option');
      expect(error.message).toContain('fixed, linear, exponential');
    }
  });

  it('refuse unknown keys, also those of calls, by name', () => {
    for (const key of ['retries', 'priority', 'idempotencyKey', 'constructor', 'MaxAttempts']) {
      const error = refusalOf(() => resolveJobOptions({ [key]: 1 }));
      expect(error.code).toBe('invalid_option');
      expect(error.message).toContain(JSON.stringify(key));
    }
  });

  it('refuse what is no object', () => {
    for (const given of [null, [], 'fixed', 3, true, () => {}]) {
      expect(refusalOf(() => resolveJobOptions(given as never)).code).toBe('invalid_option');
    }
  });
});

describe('call options', () => {
  it('are none by default', () => {
    expect(resolveCallOptions({}, DEFAULT_JOB_OPTIONS)).toEqual({ options: DEFAULT_JOB_OPTIONS, ...NONE });
  });

  it('hold all that was given', () => {
    const tx = { query: async () => [] };
    const given = { maxAttempts: 9, idempotencyKey: 'order-1', delayMs: 1.5, priority: -7, tx };
    expect(resolveCallOptions(given, DEFAULT_JOB_OPTIONS)).toEqual({
      options: { ...DEFAULT_JOB_OPTIONS, maxAttempts: 9 },
      idempotencyKey: 'order-1',
      delayMs: 1.5,
      runAt: null,
      priority: -7,
      tx,
    });
  });

  it('refuse a tx that cannot run queries', () => {
    for (const tx of [null, undefined, 'postgres://', {}, { query: 1 }] as never[]) {
      expect(() => resolveCallOptions({ tx }, DEFAULT_JOB_OPTIONS)).toThrow(
        expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining('tx is') }),
      );
    }
  });

  it('take runAt as a Date or as milliseconds, up to the year 2200', () => {
    for (const runAt of [0, 1.5, Date.UTC(2200, 0)]) {
      expect(resolveCallOptions({ runAt }, DEFAULT_JOB_OPTIONS).runAt).toBe(runAt);
    }
    expect(resolveCallOptions({ runAt: new Date(77) }, DEFAULT_JOB_OPTIONS).runAt).toBe(77);
    for (const runAt of [
      new Date(Number.NaN),
      -1,
      Date.UTC(2200, 0) + 1,
      8.64e15,
      Number.NaN,
      Infinity,
      '2026-01-01',
      null,
    ]) {
      expect(refusalOf(() => resolveUntyped({ runAt })).code).toBe('invalid_option');
    }
  });

  it('take a delay up to its limit', () => {
    expect(resolveCallOptions({ delayMs: LIMITS.startDelayMs }, DEFAULT_JOB_OPTIONS).delayMs).toBe(LIMITS.startDelayMs);
    for (const delayMs of [-1, LIMITS.startDelayMs + 1, Number.NaN, Infinity, '1', null]) {
      expect(refusalOf(() => resolveUntyped({ delayMs })).code).toBe('invalid_option');
    }
  });

  it('refuse an idempotency key that is there but undefined', () => {
    expect(refusalOf(() => resolveUntyped({ idempotencyKey: undefined })).code).toBe('invalid_idempotency_key');
  });

  it('take delayMs or runAt, not both', () => {
    expect(refusalOf(() => resolveUntyped({ delayMs: 0, runAt: 0 })).message).toContain('both');
  });

  it('take whole priorities from -100 to 100', () => {
    for (const priority of [-100, 0, 100]) {
      expect(resolveCallOptions({ priority }, DEFAULT_JOB_OPTIONS).priority).toBe(priority);
    }
    for (const priority of [-101, 101, 0.5, Number.NaN, '1', null]) {
      expect(refusalOf(() => resolveUntyped({ priority })).code).toBe('invalid_option');
    }
  });

  it('take keys of 1 to 255 bytes', () => {
    for (const idempotencyKey of ['k', 'x'.repeat(255), '€'.repeat(85), '\u0000', '🚀']) {
      expect(resolveCallOptions({ idempotencyKey }, DEFAULT_JOB_OPTIONS).idempotencyKey).toBe(idempotencyKey);
    }
    for (const idempotencyKey of ['', 'x'.repeat(256), `${'€'.repeat(85)}a`, 'x\ud800', null, 7, {}]) {
      expect(refusalOf(() => resolveUntyped({ idempotencyKey })).code).toBe('invalid_idempotency_key');
    }
  });

  it('refuse unknown keys', () => {
    expect(refusalOf(() => resolveUntyped({ delay: 5 })).message).toContain('unknown option "delay"');
  });
});

describe('assertNumber', () => {
  it('takes its bounds and refuses beyond', () => {
    expect(() => assertNumber('x', 1, 1, 2)).not.toThrow();
    expect(() => assertNumber('x', 2, 1, 2, true)).not.toThrow();
    expect(refusalOf(() => assertNumber('x', 2.01, 1, 2)).message).toContain('x is 2.01: use a number from 1 to 2');
  });
});

describe('describeValue', () => {
  it('is short and safe whatever the value', () => {
    expect(describeValue('a"b')).toBe('"a\\"b"');
    expect(describeValue('x'.repeat(1000))).toBe(`"${'x'.repeat(60)}"… (1000 characters)`);
    expect([undefined, null, 5, Number.NaN, 5n, true].map(describeValue)).toEqual([
      'undefined',
      'null',
      '5',
      'NaN',
      '5',
      'true',
    ]);
    expect([[1], { a: 1 }, () => {}, Symbol('s')].map(describeValue)).toEqual([
      'an array',
      'an object',
      'a function',
      'Symbol(s)',
    ]);
  });
});
