import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReseolioError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/options.ts';
import { decodePayload, encodePayload, MAX_PAYLOAD_DEPTH, packRecord, unpackRecord } from '../../src/core/payload.ts';

/** As it is stored: bytes of their own, that nothing in the process points into. */
function roundTrip(value: unknown): unknown {
  const { encoding, bytes } = encodePayload(value, 'value');
  return decodePayload({ encoding, bytes: Uint8Array.from(bytes) });
}

function refusalOf(value: unknown, maxBytes?: number): ReseolioError {
  try {
    encodePayload(value, 'args[0]', maxBytes);
  } catch (error) {
    if (error instanceof ReseolioError) return error;
    throw error;
  }
  throw new Error('the value was taken');
}

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

/** Every kind of value that is carried; -0 is not. */
const text = fc.string({ unit: 'binary' });
const leaf = fc.oneof(
  fc.constantFrom(undefined, null, true, false, Number.NaN, Infinity, -Infinity),
  fc.double().map((number) => number + 0),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.float().map((number) => number + 0),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  text,
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const key = text.filter((name) => name !== '__proto__');
const { value: carried } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
}));

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('payloads carry', () => {
  it('every value of the carried kinds exactly', () => {
    fc.assert(
      fc.property(carried, (value) => {
        const back = roundTrip(value);
        if (!isDeepStrictEqual(back, value)) expect(back).toStrictEqual(value);
        expect(isDeepStrictEqual(back, value)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['the largest and smallest numbers', [Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON, -Number.MAX_VALUE]],
    [
      'integers at every boundary of the encoding',
      [31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53],
    ],
    [
      'negative integers likewise',
      [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)],
    ],
    ['a time in milliseconds', [1_767_225_600_123, 1_767_225_600_123.5]],
    ['small bigints as bigints', [0n, 1n, -1n, 127n, 2n ** 31n]],
    [
      'bigints of 64 bits and beyond',
      [2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 65n), 10n ** 300n],
    ],
    [
      'dates before 1970 and at both ends of time',
      [new Date(-1), new Date(-8.64e15), new Date(8.64e15), new Date(0), new Date(1.5e12 + 1)],
    ],
    [
      'dates beyond 32 and 34 bits of seconds',
      [new Date(2 ** 32 * 1000), new Date(2 ** 34 * 1000 + 7), new Date(2 ** 34 * 1000 - 1)],
    ],
    ['undefined, alone and inside', [undefined, { a: undefined }, [undefined, null]]],
    ['empty things', ['', [], {}, new Uint8Array(0), Buffer.alloc(0)]],
    ['strings of every length class', ['a'.repeat(31), 'a'.repeat(32), 'é'.repeat(255), '🚀'.repeat(70_000)]],
    [
      'keys that objects inherit, and numbers as keys',
      [{ constructor: 1, toString: 2, hasOwnProperty: 3, '': 4, 10: 5, 2: 6 }],
    ],
    ['one object in two places', [((shared) => [shared, shared])({ a: [1] })]],
  ])('%s', (_, value) => {
    const back = roundTrip(value);
    expect(isDeepStrictEqual(back, value)).toBe(true);
  });

  it('Buffers as Buffers and Uint8Arrays as Uint8Arrays, whatever class the stored bytes have', () => {
    const value = [Buffer.from('x'), Uint8Array.of(1), Buffer.alloc(300), new Uint8Array(300)];
    const { encoding, bytes } = encodePayload(value, 'value');
    for (const stored of [Buffer.from(bytes), Uint8Array.from(bytes)]) {
      expect(isDeepStrictEqual(decodePayload({ encoding, bytes: stored }), value)).toBe(true);
    }
  });

  it('a frozen object, and one that was sealed', () => {
    const value = Object.freeze({ list: Object.freeze([1, Object.seal({ a: 1 })]) });
    expect(roundTrip(value)).toStrictEqual({ list: [1, { a: 1 }] });
  });

  it('bytes apart from the memory around them', () => {
    const pool = Uint8Array.from({ length: 64 }, (_, i) => i);
    const { bytes } = encodePayload(pool.subarray(8, 12), 'value');
    expect(roundTrip(pool.subarray(8, 12))).toStrictEqual(Uint8Array.of(8, 9, 10, 11));
    expect(bytes.length).toBeLessThan(16);
  });

  it('values as deep as the limit', () => {
    const value = nest(MAX_PAYLOAD_DEPTH, (inner) => [inner]);
    expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true);
  });

  it('payloads that do not change when later ones are packed', () => {
    const first = encodePayload({ n: 1 }, 'value');
    const before = Buffer.from(first.bytes).toString('hex');
    for (let i = 0; i < 5000; i++) encodePayload({ n: i, text: 'x'.repeat(100) }, 'value');
    expect(Buffer.from(first.bytes).toString('hex')).toBe(before);
  });
});

class Tags extends Array<string> {}
class Day extends Date {}

class Point {
  readonly x = 1;
}

describe('payloads refuse', () => {
  const hole = [1, 2, 3];
  delete hole[1];
  const circle: { self?: unknown } = {};
  circle.self = circle;

  it.each<[kind: string, value: unknown, message: string]>([
    ['a function', { user: { save() {} } }, 'args[0].user.save is a function'],
    ['a class', [Point], 'args[0][0] is a function'],
    ['a symbol', { a: Symbol('s') }, 'args[0].a is a symbol'],
    ['a symbol key', { a: { [Symbol('s')]: 1 } }, 'args[0].a has the symbol key Symbol(s)'],
    ['-0', [[-0]], 'args[0][0][0] is -0'],
    ['half of a surrogate pair', { a: 'x\ud800' }, 'args[0].a holds half of a surrogate pair'],
    ['half of a surrogate pair as a key', { 'x\udfff': 1 }, 'is a key with half of a surrogate pair'],
    ['an instance of a class', { at: [new Point()] }, 'args[0].at[0] is an instance of Point'],
    ['what extends Array', { tags: Tags.of('a') }, 'args[0].tags is an instance of Tags'],
    ['what extends Date', { day: new Day(5) }, 'args[0].day is an instance of Day'],
    ['a Map', { m: new Map() }, 'args[0].m is an instance of Map'],
    ['a Set', { m: new Set() }, 'args[0].m is an instance of Set'],
    ['an Error', { m: new TypeError('x') }, 'args[0].m is an instance of TypeError'],
    ['a RegExp', { m: /x/ }, 'args[0].m is an instance of RegExp'],
    ['a URL', { m: new URL('http://a.example') }, 'args[0].m is an instance of URL'],
    ['a promise', { m: Promise.resolve() }, 'args[0].m is an instance of Promise'],
    ['a boxed string', { m: Object('x') }, 'args[0].m is an instance of String'],
    ['another typed array', { m: new Float64Array(2) }, 'args[0].m is an instance of Float64Array'],
    ['a bare ArrayBuffer', { m: new ArrayBuffer(2) }, 'args[0].m is an instance of ArrayBuffer'],
    [
      'an invalid Date',
      { 'not an identifier': new Date(Number.NaN) },
      'args[0]["not an identifier"] is an invalid Date',
    ],
    [
      'a Date with properties',
      { d: Object.assign(new Date(5), { zone: 'UTC' }) },
      'args[0].d is a Date with properties',
    ],
    [
      'what extends Buffer',
      { b: Object.setPrototypeOf(Buffer.from('x'), class Bytes extends Buffer {}.prototype) },
      'args[0].b is an instance of Bytes',
    ],
    [
      'what is no array of bytes but pretends to be one',
      { b: Object.create(Uint8Array.prototype) },
      'args[0].b is no array of bytes',
    ],
    [
      'an array with a symbol',
      { list: Object.assign([1], { [Symbol('s')]: 2 }) },
      'args[0].list is an array with properties',
    ],
    ['a revoked proxy', { p: revokedProxy() }, 'args[0] holds something that throws when it is read'],
    [
      'a class whose name is no text',
      {
        m: new (Object.defineProperty(class {}, 'name', { value: Symbol('s') }))(),
      },
      'args[0].m is an instance of an unnamed class',
    ],
    ['what is no Date but pretends to be one', { d: Object.create(Date.prototype) }, 'throws when it is read'],
    ['an instance of an unnamed class', { m: new (class {})() }, 'args[0].m is an instance of an unnamed class'],
    ['a hole in an array', { list: hole }, 'args[0].list[1] is a hole in an array'],
    [
      'an array with properties',
      { list: Object.assign([1], { extra: 2 }) },
      'args[0].list is an array with properties',
    ],
    [
      'a getter',
      {
        get secret() {
          return 1;
        },
      },
      'args[0].secret is a getter',
    ],
    ['what is not enumerable', Object.defineProperty({}, 'hidden', { value: 1 }), 'args[0].hidden is not enumerable'],
    [
      'a key that would set the prototype',
      JSON.parse('{"a":{"__proto__":{"x":1}}}'),
      'args[0].a.__proto__ is a key that cannot be stored',
    ],
    ['a circle', circle, 'or in a circle'],
    ['what is nested too deep', nest(MAX_PAYLOAD_DEPTH + 1, (inner) => [inner]), 'is nested deeper than 100 levels'],
    ['what is nested far too deep', nest(200_000, (inner) => ({ inner })), 'is nested deeper than 100 levels'],
  ])('%s', (_, value, message) => {
    const error = refusalOf(value);
    expect(error.code).toBe('payload_unserializable');
    expect(error.message).toContain(message);
    expect(error.message.startsWith('args[0]')).toBe(true);
  });

  it('a refused value at any place of a carried one', () => {
    const place = fc.array(fc.oneof(fc.nat(3), fc.constantFrom('a', 'key')), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(place, (steps) => {
        let value: unknown = () => {};
        let path = '';
        for (const step of steps) {
          value = typeof step === 'number' ? [...Array(step).fill(null), value] : { before: 1, [step]: value };
          path = (typeof step === 'number' ? `[${step}]` : `.${step}`) + path;
        }
        expect(refusalOf(value).message.startsWith(`args[0]${path} is a function`)).toBe(true);
      }),
    );
  });

  it('what takes more bytes than the limit', () => {
    const fits = Buffer.alloc(LIMITS.payloadBytes - 5);
    expect(encodePayload(fits, 'args').bytes.length).toBe(LIMITS.payloadBytes);
    const error = refusalOf(Buffer.alloc(LIMITS.payloadBytes - 4));
    expect(error.code).toBe('payload_too_large');
    expect(error.message).toContain('1048577 bytes; the limit is 1048576');
    expect(refusalOf('abcdef', 6).code).toBe('payload_too_large');
    expect(encodePayload('abcde', 'args', 6).bytes.length).toBe(6);
  });
});

describe('decodePayload', () => {
  it('gives undefined where there is no payload', () => {
    expect(decodePayload(null)).toBe(undefined);
  });

  it('reads JSON of other callers', () => {
    const bytes = new TextEncoder().encode('{"a":[1,"é🚀",null]}');
    expect(decodePayload({ encoding: 'json', bytes })).toEqual({ a: [1, 'é🚀', null] });
  });
});

describe('records', () => {
  it('come back as they were', () => {
    const record = ['id', 1.5, null, [1, Buffer.from('x')], 2 ** 40];
    expect(isDeepStrictEqual(unpackRecord(packRecord(record)), record)).toBe(true);
  });

  it('is refused before it is packed where one object is referred to very often', () => {
    let value: object = { text: 'x' };
    for (let level = 0; level < 60; level++) value = { a: value, b: value };
    expect(() => encodePayload(value, 'args')).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
  });
});
