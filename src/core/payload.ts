import { Packr } from 'msgpackr';
import { ReseolioError } from './errors.ts';
import { LIMITS } from './options.ts';

/**
 * Arguments or a result as they are stored. The tag says how `bytes` are encoded: this library writes msgpack,
 * callers of other languages send JSON. Storage never looks inside.
 */
export interface Payload {
  readonly encoding: PayloadEncoding;
  readonly bytes: Uint8Array;
}

export const PAYLOAD_ENCODINGS = ['msgpack', 'json'] as const;
export type PayloadEncoding = (typeof PAYLOAD_ENCODINGS)[number];

/** Values nested deeper are refused, long before the recursion of an encoder overflows the stack. */
export const MAX_PAYLOAD_DEPTH = 100;

/**
 * `useRecords: false` keeps to plain msgpack; `int64AsType: 'bigint'` gives back every bigint as a bigint, since
 * packing writes large integers as float64 and 64-bit integers for bigints only; `moreTypes` carries those beyond
 * 64 bits.
 */
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'bigint',
  moreTypes: true,
});

/**
 * Packs `value`, called `path` in errors. Refuses what would decode differently (`payload_unserializable`, with the
 * path to it) and what is larger than `maxBytes` (`payload_too_large`).
 *
 * Carried: null, undefined, booleans, strings, numbers, bigints, valid Dates, Buffer and Uint8Array, plain objects and
 * dense arrays of these. An object without a prototype comes back with the ordinary one.
 */
export function encodePayload(value: unknown, path: string, maxBytes: number = LIMITS.payloadBytes): Payload {
  const flaw = inspect(value, { path, maxBytes, minBytes: 0 });
  if (flaw !== null) {
    throw new ReseolioError(
      'payload_unserializable',
      `${path}${flaw.path} ${flaw.problem}: pass plain data (null, booleans, numbers, strings, bigints, Dates, bytes, arrays, objects)`,
    );
  }
  const bytes = pack(value, path);
  if (bytes.length > maxBytes) throw tooLarge(path, `takes ${bytes.length} bytes`, maxBytes);
  return { encoding: 'msgpack', bytes };
}

/** Values of hundreds of megabytes are beyond what can be packed at all. */
function pack(value: unknown, path: string): Buffer {
  try {
    return packr.pack(value);
  } catch (error) {
    throw new ReseolioError('payload_too_large', `${path} cannot be packed: pass less`, { cause: error });
  }
}

/** The value that `payload` holds; null (no payload) is `undefined`. */
export function decodePayload(payload: Payload | null): unknown {
  if (payload === null) return undefined;
  const { buffer, byteOffset, byteLength } = payload.bytes;
  // msgpackr gives Buffers in a value the class of its source, and storages may give plain Uint8Arrays.
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return payload.encoding === 'json' ? JSON.parse(bytes.toString('utf8')) : packr.unpack(bytes);
}

/** Packs a record of the library's own, whose shape is known to be faithful. */
export function packRecord(record: readonly unknown[]): Buffer {
  return packr.pack(record);
}

/** The counterpart of {@link packRecord}. */
export function unpackRecord(bytes: Uint8Array): readonly unknown[] {
  return packr.unpack(bytes);
}

/** How many bytes a value takes at the least, counted while it is looked at, so that what is far too large is refused
 * before it is packed: one object that is referred to many times is packed as often. */
interface Size {
  readonly path: string;
  readonly maxBytes: number;
  minBytes: number;
}

function grow(size: Size, bytes: number): void {
  size.minBytes += bytes;
  if (size.minBytes > size.maxBytes) throw tooLarge(size.path, 'takes more', size.maxBytes);
}

function tooLarge(path: string, what: string, maxBytes: number): ReseolioError {
  return new ReseolioError(
    'payload_too_large',
    `${path} ${what}; the limit is ${maxBytes} bytes: store it elsewhere and pass a reference`,
  );
}

/** Where in a value, and why, it would not come back as it was. */
interface Flaw {
  readonly path: string;
  readonly problem: string;
}

/** The first flaw, or null. A proxy or a getter that throws is a flaw as well. */
function inspect(value: unknown, size: Size): Flaw | null {
  try {
    return findFlaw(value, 0, size);
  } catch (error) {
    if (error instanceof ReseolioError) throw error;
    return flaw('holds something that throws when it is read');
  }
}

/** The first flaw, or null. The path is put together on the way out, so that a sound value costs no strings. */
function findFlaw(value: unknown, depth: number, size: Size): Flaw | null {
  grow(size, 1);
  switch (typeof value) {
    case 'string':
      grow(size, value.length);
      return value.isWellFormed() ? null : flaw('holds half of a surrogate pair, which UTF-8 cannot carry');
    case 'number':
      return Object.is(value, -0) ? flaw('is -0, which would come back as 0') : null;
    case 'function':
    case 'symbol':
      return flaw(`is a ${typeof value}`);
    case 'object':
      return value === null ? null : findFlawInObject(value, depth + 1, size);
    default:
      return null;
  }
}

function findFlawInObject(value: object, depth: number, size: Size): Flaw | null {
  if (depth > MAX_PAYLOAD_DEPTH) return flaw(`is nested deeper than ${MAX_PAYLOAD_DEPTH} levels, or in a circle`);
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototypes have to match: what extends Array or Date would come back as a plain one.
  if (prototype === Array.prototype && Array.isArray(value)) return findFlawInArray(value, depth, size);
  if (prototype === Object.prototype || prototype === null) return findFlawInProperties(value, depth, size);
  if (prototype === Date.prototype) return findFlawInDate(value as Date);
  if (prototype === Buffer.prototype || prototype === Uint8Array.prototype) return findFlawInBytes(value, size);
  const name: unknown = value.constructor?.name;
  return flaw(`is an instance of ${typeof name === 'string' && name !== '' ? name : 'an unnamed class'}`);
}

function findFlawInDate(value: Date): Flaw | null {
  if (Number.isNaN(value.getTime())) return flaw('is an invalid Date');
  return Object.keys(value).length === 0 ? null : flaw('is a Date with properties of its own');
}

function findFlawInBytes(value: object, size: Size): Flaw | null {
  if (!(value instanceof Uint8Array) || !ArrayBuffer.isView(value)) return flaw('is no array of bytes');
  grow(size, value.byteLength);
  return null;
}

function findFlawInArray(value: readonly unknown[], depth: number, size: Size): Flaw | null {
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    const found = item === undefined && !(i in value) ? flaw('is a hole in an array') : findFlaw(item, depth, size);
    if (found !== null) return { path: `[${i}]${found.path}`, problem: found.problem };
  }
  // Beside the items an array has its length.
  return Reflect.ownKeys(value).length === value.length + 1 ? null : flaw('is an array with properties of its own');
}

function findFlawInProperties(value: object, depth: number, size: Size): Flaw | null {
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') return flaw(`has the symbol key ${String(key)}`);
    grow(size, key.length);
    const found = findFlawInProperty(value, key, depth, size);
    if (found === null) continue;
    const step = IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    return { path: step + found.path, problem: found.problem };
  }
  return null;
}

function findFlawInProperty(value: object, key: string, depth: number, size: Size): Flaw | null {
  // Decoding it would set the prototype of the object that the handler gets.
  if (key === '__proto__') return flaw('is a key that cannot be stored');
  if (!key.isWellFormed()) return flaw('is a key with half of a surrogate pair');
  const property = Object.getOwnPropertyDescriptor(value, key);
  if (property === undefined || !('value' in property)) return flaw('is a getter');
  return property.enumerable ? findFlaw(property.value, depth, size) : flaw('is not enumerable');
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

function flaw(problem: string): Flaw {
  return { path: '', problem };
}
