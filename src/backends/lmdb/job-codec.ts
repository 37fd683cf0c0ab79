import { JOB_STATES, type JobState, type StoredError } from '../../core/job.ts';
import { BACKOFFS, type Backoff, type JobOptions } from '../../core/options.ts';
import { PAYLOAD_ENCODINGS, type PayloadEncoding, packRecord, unpackRecord } from '../../core/payload.ts';
import type { Occurrence } from '../../core/schedule-record.ts';
import { formatJobId, ID_BYTES } from './keys.ts';
import type { ScheduleId } from './schedule-keys.ts';

/**
 * How a job lies on disk: a head of fixed size with all that is a number or a token, then the texts and payloads one
 * after the other. Transitions change numbers and replace bytes as a whole; they decode no text and no payload.
 */
export interface StoredJob {
  state: JobState;
  readonly nameId: number;
  readonly sequence: number;
  readonly priority: number;
  readonly createdAt: number;
  readonly options: JobOptions;
  attempt: number;
  /** Failed and lost attempts so far; numbers their records. */
  failures: number;
  runAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  leaseExpiresAt: number | null;
  /** Of the lease that the job is under; the nil UUID if it is not running. */
  leaseToken: Buffer;
  /** The lease under which an attempt was settled last, to recognise a repeat; attempt 0 if none was. */
  settledAttempt: number;
  settledToken: Buffer;
  readonly idempotencyKey: Buffer;
  /** As {@link packOccurrence} makes it; empty for a call. */
  readonly occurrence: Buffer;
  /** Empty if no job made this one. */
  readonly parentId: Buffer;
  stepCount: number;
  signalCount: number;
  isSuspended: boolean;
  /** More signals than so many make a suspended job due; null: signals do not. */
  signalsSeen: number | null;
  isCancelRequested: boolean;
  /** A job may await it: when it finishes, somebody has to look. So that the end of all others costs no look. */
  isAwaited: boolean;
  readonly argsEncoding: PayloadEncoding;
  /** null: they are large and lie under a key of their own, so that transitions and lists do not copy them along. */
  readonly args: Buffer | null;
  workerId: Buffer;
  /** As {@link packError} makes it; empty for none. */
  error: Buffer;
  /** null: there is no result. */
  resultEncoding: PayloadEncoding | null;
  /** null: there is none, or it is large and lies under a key of its own. */
  result: Buffer | null;
}

export const EMPTY = Buffer.alloc(0);
/** Payloads above this lie under a key of their own. */
export const MAX_INLINE_BYTES = 1024;
export const NO_TOKEN = Buffer.alloc(16);

/** Where each field of the head begins. */
const AT = {
  state: 0,
  backoff: 1,
  argsEncoding: 2,
  resultEncoding: 3,
  priority: 4,
  idempotencyKeyBytes: 6,
  workerIdBytes: 8,
  nameId: 10,
  attempt: 14,
  failures: 18,
  settledAttempt: 22,
  maxAttempts: 26,
  argsBytes: 30,
  errorBytes: 34,
  sequence: 38,
  createdAt: 44,
  runAt: 52,
  startedAt: 60,
  finishedAt: 68,
  leaseExpiresAt: 76,
  initialDelayMs: 84,
  maxDelayMs: 92,
  timeoutMs: 100,
  jitter: 108,
  leaseToken: 116,
  settledToken: 132,
  flags: 148,
  signalCount: 149,
  signalsSeen: 151,
  stepCount: 153,
} as const;

const HEAD_BYTES = 157;
const OCCURRENCE_BYTES = 24;
const TOKEN_BYTES = 16;
const FLAG = {
  /** The id of the parent follows the head. */
  hasParent: 0x01,
  /** An occurrence follows. */
  hasOccurrence: 0x02,
  isSuspended: 0x04,
  hasSignalsSeen: 0x08,
  isCancelRequested: 0x10,
  isAwaited: 0x20,
} as const;
/** In place of an encoding: there is no result. */
const NO_RESULT = 255;
/** Beside an encoding: the result lies elsewhere. */
const LARGE_RESULT = 0x80;
/** In place of a length: the arguments lie elsewhere. */
const LARGE_ARGS = 0xffff_ffff;

export function stateCode(state: JobState): number {
  return JOB_STATES.indexOf(state);
}

export function encodeJob(job: StoredJob): Buffer {
  const args = job.args ?? EMPTY;
  const result = job.result ?? EMPTY;
  const parts = [job.parentId, job.occurrence, job.idempotencyKey, args, job.workerId, job.error, result];
  let length = HEAD_BYTES;
  for (const part of parts) length += part.length;
  const bytes = Buffer.allocUnsafe(length);
  encodeHead(job, bytes);
  let at = HEAD_BYTES;
  for (const part of parts) {
    if (part.length > 0) bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function encodeHead(job: StoredJob, bytes: Buffer): void {
  const { options } = job;
  bytes[AT.state] = stateCode(job.state);
  bytes[AT.backoff] = BACKOFFS.indexOf(options.backoff);
  bytes[AT.argsEncoding] = PAYLOAD_ENCODINGS.indexOf(job.argsEncoding);
  bytes[AT.resultEncoding] = resultCode(job);
  bytes.writeInt16LE(job.priority, AT.priority);
  bytes.writeUInt16LE(job.idempotencyKey.length, AT.idempotencyKeyBytes);
  bytes.writeUInt16LE(job.workerId.length, AT.workerIdBytes);
  bytes.writeUInt32LE(job.nameId, AT.nameId);
  bytes.writeUInt32LE(job.attempt, AT.attempt);
  bytes.writeUInt32LE(job.failures, AT.failures);
  bytes.writeUInt32LE(job.settledAttempt, AT.settledAttempt);
  bytes.writeUInt32LE(options.maxAttempts, AT.maxAttempts);
  bytes.writeUInt32LE(job.args?.length ?? LARGE_ARGS, AT.argsBytes);
  bytes.writeUInt32LE(job.error.length, AT.errorBytes);
  bytes.writeUIntLE(job.sequence, AT.sequence, 6);
  bytes.writeDoubleLE(job.createdAt, AT.createdAt);
  bytes.writeDoubleLE(job.runAt, AT.runAt);
  bytes.writeDoubleLE(job.startedAt ?? Number.NaN, AT.startedAt);
  bytes.writeDoubleLE(job.finishedAt ?? Number.NaN, AT.finishedAt);
  bytes.writeDoubleLE(job.leaseExpiresAt ?? Number.NaN, AT.leaseExpiresAt);
  bytes.writeDoubleLE(options.initialDelayMs, AT.initialDelayMs);
  bytes.writeDoubleLE(options.maxDelayMs, AT.maxDelayMs);
  bytes.writeDoubleLE(options.timeoutMs, AT.timeoutMs);
  bytes.writeDoubleLE(options.jitter, AT.jitter);
  bytes.set(job.leaseToken, AT.leaseToken);
  bytes.set(job.settledToken, AT.settledToken);
  bytes[AT.flags] = flagsOf(job);
  bytes.writeUInt16LE(job.signalCount, AT.signalCount);
  // No job is ever sent so many, so it is all the same beyond.
  bytes.writeUInt16LE(Math.min(job.signalsSeen ?? 0, 0xffff), AT.signalsSeen);
  bytes.writeUInt32LE(job.stepCount, AT.stepCount);
}

function flagsOf(job: StoredJob): number {
  return (
    (job.parentId.length > 0 ? FLAG.hasParent : 0) |
    (job.occurrence.length > 0 ? FLAG.hasOccurrence : 0) |
    (job.isSuspended ? FLAG.isSuspended : 0) |
    (job.signalsSeen === null ? 0 : FLAG.hasSignalsSeen) |
    (job.isCancelRequested ? FLAG.isCancelRequested : 0) |
    (job.isAwaited ? FLAG.isAwaited : 0)
  );
}

function resultCode({ resultEncoding, result }: StoredJob): number {
  if (resultEncoding === null) return NO_RESULT;
  return PAYLOAD_ENCODINGS.indexOf(resultEncoding) | (result === null ? LARGE_RESULT : 0);
}

/** The parts of the result lie in `bytes`, which must not change afterwards. */
export function decodeJob(bytes: Buffer): StoredJob {
  const argsBytes = bytes.readUInt32LE(AT.argsBytes);
  const hasLargeArgs = argsBytes === LARGE_ARGS;
  const flags = bytes[AT.flags] as number;
  const occurrenceAt = HEAD_BYTES + ((flags & FLAG.hasParent) === 0 ? 0 : ID_BYTES);
  const keyAt = occurrenceAt + ((flags & FLAG.hasOccurrence) === 0 ? 0 : OCCURRENCE_BYTES);
  const argsAt = keyAt + bytes.readUInt16LE(AT.idempotencyKeyBytes);
  const workerIdAt = argsAt + (hasLargeArgs ? 0 : argsBytes);
  const errorAt = workerIdAt + bytes.readUInt16LE(AT.workerIdBytes);
  const resultAt = errorAt + bytes.readUInt32LE(AT.errorBytes);
  const code = bytes[AT.resultEncoding] as number;
  return {
    state: JOB_STATES[bytes[AT.state] as number] as JobState,
    nameId: bytes.readUInt32LE(AT.nameId),
    sequence: bytes.readUIntLE(AT.sequence, 6),
    priority: bytes.readInt16LE(AT.priority),
    createdAt: bytes.readDoubleLE(AT.createdAt),
    options: decodeOptions(bytes),
    attempt: bytes.readUInt32LE(AT.attempt),
    failures: bytes.readUInt32LE(AT.failures),
    runAt: bytes.readDoubleLE(AT.runAt),
    startedAt: readTime(bytes, AT.startedAt),
    finishedAt: readTime(bytes, AT.finishedAt),
    leaseExpiresAt: readTime(bytes, AT.leaseExpiresAt),
    leaseToken: bytes.subarray(AT.leaseToken, AT.leaseToken + TOKEN_BYTES),
    settledAttempt: bytes.readUInt32LE(AT.settledAttempt),
    settledToken: bytes.subarray(AT.settledToken, AT.settledToken + TOKEN_BYTES),
    parentId: slice(bytes, HEAD_BYTES, occurrenceAt),
    occurrence: slice(bytes, occurrenceAt, keyAt),
    stepCount: bytes.readUInt32LE(AT.stepCount),
    signalCount: bytes.readUInt16LE(AT.signalCount),
    isSuspended: (flags & FLAG.isSuspended) !== 0,
    signalsSeen: (flags & FLAG.hasSignalsSeen) === 0 ? null : bytes.readUInt16LE(AT.signalsSeen),
    isCancelRequested: (flags & FLAG.isCancelRequested) !== 0,
    isAwaited: (flags & FLAG.isAwaited) !== 0,
    idempotencyKey: slice(bytes, keyAt, argsAt),
    argsEncoding: PAYLOAD_ENCODINGS[bytes[AT.argsEncoding] as number] as PayloadEncoding,
    args: hasLargeArgs ? null : slice(bytes, argsAt, workerIdAt),
    workerId: slice(bytes, workerIdAt, errorAt),
    error: slice(bytes, errorAt, resultAt),
    resultEncoding: code === NO_RESULT ? null : (PAYLOAD_ENCODINGS[code & ~LARGE_RESULT] as PayloadEncoding),
    result: (code & LARGE_RESULT) === 0 ? slice(bytes, resultAt, bytes.length) : null,
  };
}

function decodeOptions(bytes: Buffer): JobOptions {
  return {
    maxAttempts: bytes.readUInt32LE(AT.maxAttempts),
    backoff: BACKOFFS[bytes[AT.backoff] as number] as Backoff,
    initialDelayMs: bytes.readDoubleLE(AT.initialDelayMs),
    maxDelayMs: bytes.readDoubleLE(AT.maxDelayMs),
    timeoutMs: bytes.readDoubleLE(AT.timeoutMs),
    jitter: bytes.readDoubleLE(AT.jitter),
  };
}

export function packError(error: StoredError | null): Buffer {
  return error === null ? EMPTY : packRecord([error.name, error.message, error.stack]);
}

export function unpackError(bytes: Buffer): StoredError | null {
  if (bytes.length === 0) return null;
  const [name, message, stack] = unpackRecord(bytes) as [string, string, string | null];
  return { name, message, stack };
}

export function packOccurrence(scheduleId: ScheduleId, dueAt: number): Buffer {
  const bytes = Buffer.allocUnsafe(OCCURRENCE_BYTES);
  scheduleId.copy(bytes);
  bytes.writeDoubleLE(dueAt, ID_BYTES);
  return bytes;
}

export function unpackOccurrence(bytes: Buffer): Occurrence | null {
  return bytes.length === 0 ? null : { scheduleId: formatJobId(bytes), dueAt: bytes.readDoubleLE(ID_BYTES) };
}

function slice(bytes: Buffer, start: number, end: number): Buffer {
  return start === end ? EMPTY : bytes.subarray(start, end);
}

function readTime(bytes: Buffer, offset: number): number | null {
  const value = bytes.readDoubleLE(offset);
  return Number.isNaN(value) ? null : value;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
