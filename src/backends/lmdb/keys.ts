/**
 * The layout of the one B-tree that holds everything. The first byte of a key says what it is; all integers are
 * big-endian, so that bytes sort as numbers do.
 *
 * What every enqueue, claim and settle touches comes first and is small while the queue is short, so that it shares
 * one leaf page: a lone enqueue then writes three pages, and pages are what a commit costs (see ADR 0003).
 *
 * ```
 * 00 'format'                                  -> version of this layout
 * 01                                           -> sequence numbers
 * 02 name-id                                   -> counts by state, and the name
 * 03 lease expiry, job id                      -> (empty)
 * 04 name-id, priority, due time, sequence     -> job id                  jobs that are pending, in claim order
 * 05 name-id, creation time, sequence          -> job id                  jobs that are pending or running
 * 06 feed number                               -> ids settled and signalled by one commit, for other processes
 * 07 name                                      -> name-id
 * 08 name-id, idempotency key                  -> job id
 * 09 state, name-id, creation time, sequence   -> job id, finish time, parent id if any
 * 0a job id, ordinal                           -> a failed or lost attempt
 * 0b job id, 0 or 1                            -> arguments, or a result, too large for the record
 * 0c job id                                    -> the job
 * 0d                                           -> how many schedules there are by state, and their changes
 * 0e state, next occurrence, schedule id       -> (empty)                 schedules in the order of lists
 * 0f name                                      -> id of the schedule that was made last under it
 * 10 schedule id                               -> the schedule
 * 11 job id, creation time, sequence           -> job id                  its children
 * 12 job id, number                            -> a step
 * 13 job id, number                            -> a signal
 * 14 job id, signal id                         -> (empty)
 * 15 job id                                    -> ids of the jobs that it awaits while it is suspended
 * 16 job id, job id                            -> (empty)                 the second awaits the first
 * ```
 */
export const PREFIX = {
  format: 0x00,
  sequences: 0x01,
  counts: 0x02,
  lease: 0x03,
  pending: 0x04,
  live: 0x05,
  feed: 0x06,
  name: 0x07,
  idempotency: 0x08,
  finished: 0x09,
  attempt: 0x0a,
  payload: 0x0b,
  job: 0x0c,
  scheduleTotals: 0x0d,
  scheduleOrder: 0x0e,
  scheduleName: 0x0f,
  schedule: 0x10,
  child: 0x11,
  step: 0x12,
  signal: 0x13,
  signalId: 0x14,
  awaited: 0x15,
  waiter: 0x16,
} as const;

export type JobId = Buffer;

export const ID_BYTES = 16;
const UUID_CHARS = 36;
const DASH = 0x2d;
/** Value of a lower-case hexadecimal digit by its character code; 256 for what is none. */
const HEX_DIGITS = Uint16Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return digit < 0 ? 256 : digit;
});
/** Priorities run from -100 to 100 and the highest comes first. */
const PRIORITY_ORIGIN = 100;

export const FORMAT_KEY = Buffer.from([PREFIX.format, ...Buffer.from('format')]);
export const SEQUENCES_KEY = Buffer.from([PREFIX.sequences]);

/** Text that is no id becomes the nil UUID, which no job has. */
export function parseJobId(text: string): JobId {
  return parseUuid(text) ?? Buffer.alloc(ID_BYTES);
}

/** null for what is no UUID in canonical form. Lease tokens are UUIDs as well. */
export function parseUuid(text: string): Buffer | null {
  const id = Buffer.allocUnsafe(ID_BYTES);
  if (text.length !== UUID_CHARS) return null;
  for (let i = 0, at = 0; at < ID_BYTES; i += 2, at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) {
      if (text.charCodeAt(i++) !== DASH) return null;
    }
    const byte = ((HEX_DIGITS[text.charCodeAt(i)] ?? 256) << 4) | (HEX_DIGITS[text.charCodeAt(i + 1)] ?? 256);
    if (byte > 255) return null;
    id[at] = byte;
  }
  return id;
}

export function formatJobId(id: Uint8Array, offset = 0): string {
  const hex = Buffer.from(id.buffer, id.byteOffset + offset, ID_BYTES).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function jobKey(id: JobId): Buffer {
  return keyOfId(PREFIX.job, id);
}

export function largePayloadKey(id: JobId, kind: 'args' | 'result'): Buffer {
  const key = Buffer.allocUnsafe(2 + ID_BYTES);
  key[0] = PREFIX.payload;
  id.copy(key, 1);
  key[1 + ID_BYTES] = kind === 'args' ? 0 : 1;
  return key;
}

export function attemptKey(id: JobId, ordinal: number): Buffer {
  return numberedKey(PREFIX.attempt, id, ordinal);
}

export function leaseKey(expiresAt: number, id: JobId): Buffer {
  const key = Buffer.allocUnsafe(1 + 8 + ID_BYTES);
  key[0] = PREFIX.lease;
  key.writeDoubleBE(expiresAt, 1);
  id.copy(key, 9);
  return key;
}

export function leaseExpiry(key: Buffer): number {
  return key.readDoubleBE(1);
}

export function leaseJobId(key: Buffer): JobId {
  return key.subarray(9);
}

export function countsKey(nameId: number): Buffer {
  return keyOfNameId(PREFIX.counts, nameId);
}

export function countsNameId(key: Buffer): number {
  return key.readUInt32BE(1);
}

export function nameKey(name: string): Buffer {
  return Buffer.concat([Buffer.from([PREFIX.name]), Buffer.from(name)]);
}

export function idempotencyKey(nameId: number, key: string): Buffer {
  return Buffer.concat([keyOfNameId(PREFIX.idempotency, nameId), Buffer.from(key)]);
}

/** Due times sort as doubles do, which holds for all that are not negative. */
export function pendingKey(nameId: number, priority: number, runAt: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(20);
  key[0] = PREFIX.pending;
  key.writeUInt32BE(nameId, 1);
  key[5] = PRIORITY_ORIGIN - priority;
  key.writeDoubleBE(runAt, 6);
  key.writeUIntBE(sequence, 14, 6);
  return key;
}

export function pendingPriority(key: Buffer): number {
  return PRIORITY_ORIGIN - (key[5] as number);
}

export function pendingRunAt(key: Buffer): number {
  return key.readDoubleBE(6);
}

export function liveKey(nameId: number, createdAt: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(19);
  key[0] = PREFIX.live;
  return writeListTail(key, 1, nameId, createdAt, sequence);
}

export function finishedKey(stateCode: number, nameId: number, createdAt: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(20);
  key[0] = PREFIX.finished;
  key[1] = stateCode;
  return writeListTail(key, 2, nameId, createdAt, sequence);
}

/** All list keys end alike, and their last 14 bytes sort jobs of several lists by creation. */
export function listOrder(key: Buffer): Buffer {
  return key.subarray(-14);
}

export function finishedNameId(key: Buffer): number {
  return key.readUInt32BE(2);
}

export function finishedCreatedAt(key: Buffer): number {
  return key.readDoubleBE(6);
}

export function feedKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = PREFIX.feed;
  key.writeUIntBE(number, 1, 6);
  return key;
}

export function feedNumber(key: Buffer): number {
  return key.readUIntBE(1, 6);
}

export interface KeyRange {
  readonly start: Buffer;
  /** Exclusive. */
  readonly end: Buffer;
}

export const ALL_COUNTS: KeyRange = rangeOf(Buffer.from([PREFIX.counts]));
export const ALL_LEASES: KeyRange = rangeOf(Buffer.from([PREFIX.lease]));
export const ALL_FEED: KeyRange = rangeOf(Buffer.from([PREFIX.feed]));

export function pendingRange(nameId: number): KeyRange {
  return rangeOf(keyOfNameId(PREFIX.pending, nameId));
}

/** Where the pending jobs of a name with a priority below `priority` begin. */
export function belowPriority(nameId: number, priority: number): Buffer {
  return pendingKey(nameId, priority - 1, 0, 0);
}

export function liveRange(nameId: number): KeyRange {
  return rangeOf(keyOfNameId(PREFIX.live, nameId));
}

export function finishedRange(stateCode: number, nameId: number): KeyRange {
  const prefix = Buffer.allocUnsafe(6);
  prefix[0] = PREFIX.finished;
  prefix[1] = stateCode;
  prefix.writeUInt32BE(nameId, 2);
  return rangeOf(prefix);
}

export function finishedStateRange(stateCode: number): KeyRange {
  return rangeOf(Buffer.from([PREFIX.finished, stateCode]));
}

export function attemptRange(id: JobId): KeyRange {
  return rangeOf(keyOfId(PREFIX.attempt, id));
}

/** The smallest key after `key`. */
export function successor(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}

/** All keys that begin with `prefix`. */
export function rangeOf(prefix: Buffer): KeyRange {
  const end = Buffer.from(prefix);
  let last = end.length - 1;
  while (end[last] === 0xff) last--;
  end[last] = (end[last] as number) + 1;
  return { start: prefix, end: end.subarray(0, last + 1) };
}

export function keyOfId(prefix: number, id: JobId): Buffer {
  const key = Buffer.allocUnsafe(1 + ID_BYTES);
  key[0] = prefix;
  id.copy(key, 1);
  return key;
}

/** The `number`th of what a job has several of. */
export function numberedKey(prefix: number, id: JobId, number: number): Buffer {
  const key = Buffer.allocUnsafe(1 + ID_BYTES + 4);
  key[0] = prefix;
  id.copy(key, 1);
  key.writeUInt32BE(number, 1 + ID_BYTES);
  return key;
}

function keyOfNameId(prefix: number, nameId: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = prefix;
  key.writeUInt32BE(nameId, 1);
  return key;
}

function writeListTail(key: Buffer, offset: number, nameId: number, createdAt: number, sequence: number): Buffer {
  key.writeUInt32BE(nameId, offset);
  return writeListOrder(key, offset + 4, createdAt, sequence);
}

export function writeListOrder(key: Buffer, offset: number, createdAt: number, sequence: number): Buffer {
  key.writeDoubleBE(createdAt, offset);
  key.writeUIntBE(sequence, offset + 8, 6);
  return key;
}
