import { ReseolioError } from '../core/errors.ts';
import { decodePayload, MAX_PAYLOAD_DEPTH, type Payload } from '../core/payload.ts';

const NOTHING = Buffer.alloc(0);

/**
 * What came over the wire as a payload, as it is stored: JSON, looked at once so that whoever reads it later can.
 *
 * @throws ReseolioError `payload_too_large`, `payload_unserializable`.
 */
export function readJsonPayload(bytes: Uint8Array, what: string, maxBytes: number): Payload {
  if (bytes.length > maxBytes) {
    throw new ReseolioError(
      'payload_too_large',
      `${what} takes ${bytes.length} bytes; the limit is ${maxBytes} bytes: store it elsewhere and pass a reference`,
    );
  }
  assertPlain(parseJson(bytes, what), what, 0);
  return { encoding: 'json', bytes };
}

/**
 * A stored payload as the wire carries it; no bytes for none.
 *
 * @throws ReseolioError `payload_unserializable` for what JSON cannot carry, with the path to it.
 */
export function writeJsonPayload(payload: Payload | null, what: string): Uint8Array {
  if (payload === null) return NOTHING;
  if (payload.encoding === 'json') return payload.bytes;
  const value = decodePayload(payload);
  if (value === undefined) return NOTHING;
  assertJson(value, what);
  return Buffer.from(JSON.stringify(value));
}

/** Arguments are an array; of a call that has none, an empty one. */
export function readJsonArgs(bytes: Uint8Array, maxBytes: number): Payload {
  return readJsonPayload(bytes.length === 0 ? Buffer.from('[]') : bytes, 'args', maxBytes);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unserializable(`${what} is no JSON in UTF-8: ${reason}`);
  }
}

/** What a reader could be fooled or broken by. */
function assertPlain(value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_PAYLOAD_DEPTH) throw unserializable(`${path.slice(0, 200)} is nested deeper than ${depth} levels`);
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw unserializable(`${path.slice(0, 200)} has a key __proto__`);
    assertPlain(Reflect.get(value, key), `${path}.${key.slice(0, 40)}`, depth + 1);
  }
}

/** What has been stored is plain data, not deeper than it may be; JSON lacks some kinds of it. */
function assertJson(value: unknown, path: string): void {
  const flaw = flawOf(value);
  if (flaw !== null) {
    throw unserializable(`${path} ${flaw}, which JSON cannot carry: pass text or a number that stands for it`);
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (item === undefined) throw unserializable(`${path}[${i}] is undefined, which JSON cannot carry: pass null`);
      assertJson(item, `${path}[${i}]`);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) assertJson(item, `${path}.${key}`);
  }
}

function flawOf(value: unknown): string | null {
  if (typeof value === 'bigint') return 'is a bigint';
  if (typeof value === 'number' && !Number.isFinite(value)) return `is ${value}`;
  if (value instanceof Date) return 'is a Date';
  if (value instanceof Uint8Array) return 'is bytes';
  return null;
}

function unserializable(message: string): ReseolioError {
  return new ReseolioError('payload_unserializable', message);
}
