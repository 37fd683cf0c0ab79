import { JOB_STATES, type JobRecord, type JobState, type StoredError } from '../../core/job.ts';
import { BACKOFFS, type Backoff, type JobOptions } from '../../core/options.ts';
import { PAYLOAD_ENCODINGS, type Payload, type PayloadEncoding, packRecord, unpackRecord } from '../../core/payload.ts';

/**
 * How a job lies on disk, in three parts:
 *
 * - a head of fixed size with the numbers that transitions read and write,
 * - the call: options, key and arguments, written once and copied as bytes ever after,
 * - the run: worker, error and result, packed anew by each transition.
 *
 * So a claim or a settle decodes and encodes only what it changes.
 */
export interface StoredJob {
  state: JobState;
  readonly nameId: number;
  readonly sequence: number;
  readonly priority: number;
  readonly createdAt: number;
  /** The arguments lie under a key of their own. */
  readonly hasLargeArgs: boolean;
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
  /** The call, packed. */
  readonly call: Buffer;
  run: JobRun;
}

export interface JobRun {
  readonly workerId: string | null;
  readonly error: StoredError | null;
  readonly result: Payload | null;
}

export interface JobCall {
  readonly options: JobOptions;
  readonly idempotencyKey: string | null;
  readonly argsEncoding: PayloadEncoding;
  /** null: under a key of their own. */
  readonly args: Uint8Array | null;
}

export const NEW_RUN: JobRun = { workerId: null, error: null, result: null };
export const NO_TOKEN = Buffer.alloc(16);

const HEAD_BYTES = 102;
const FLAG_LARGE_ARGS = 1;

export function stateCode(state: JobState): number {
  return JOB_STATES.indexOf(state);
}

export function encodeJob(job: StoredJob): Buffer {
  const run = packRun(job.run);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + job.call.length + run.length);
  bytes[0] = stateCode(job.state);
  bytes[1] = job.hasLargeArgs ? FLAG_LARGE_ARGS : 0;
  bytes.writeInt16LE(job.priority, 2);
  bytes.writeUInt32LE(job.nameId, 4);
  bytes.writeUInt32LE(job.attempt, 8);
  bytes.writeUInt32LE(job.failures, 12);
  bytes.writeDoubleLE(job.createdAt, 16);
  bytes.writeDoubleLE(job.runAt, 24);
  bytes.writeDoubleLE(job.startedAt ?? Number.NaN, 32);
  bytes.writeDoubleLE(job.finishedAt ?? Number.NaN, 40);
  bytes.writeDoubleLE(job.leaseExpiresAt ?? Number.NaN, 48);
  bytes.writeUIntLE(job.sequence, 56, 6);
  bytes.writeUInt32LE(job.call.length, 62);
  bytes.writeUInt32LE(job.settledAttempt, 66);
  job.leaseToken.copy(bytes, 70);
  job.settledToken.copy(bytes, 86);
  job.call.copy(bytes, HEAD_BYTES);
  run.copy(bytes, HEAD_BYTES + job.call.length);
  return bytes;
}

export function decodeJob(bytes: Buffer): StoredJob {
  const callEnd = HEAD_BYTES + bytes.readUInt32LE(62);
  return {
    state: decodeState(bytes),
    nameId: bytes.readUInt32LE(4),
    sequence: bytes.readUIntLE(56, 6),
    priority: bytes.readInt16LE(2),
    createdAt: bytes.readDoubleLE(16),
    hasLargeArgs: ((bytes[1] as number) & FLAG_LARGE_ARGS) !== 0,
    attempt: bytes.readUInt32LE(8),
    failures: bytes.readUInt32LE(12),
    runAt: bytes.readDoubleLE(24),
    startedAt: readTime(bytes, 32),
    finishedAt: readTime(bytes, 40),
    leaseExpiresAt: readTime(bytes, 48),
    settledAttempt: bytes.readUInt32LE(66),
    leaseToken: bytes.subarray(70, 86),
    settledToken: bytes.subarray(86, 102),
    call: bytes.subarray(HEAD_BYTES, callEnd),
    run: unpackRun(bytes.subarray(callEnd)),
  };
}

/** The state of an encoded job, without decoding the rest. */
export function decodeState(bytes: Buffer): JobState {
  return JOB_STATES[bytes[0] as number] as JobState;
}

export function packCall(call: JobCall): Buffer {
  const { options } = call;
  return packRecord([
    options.maxAttempts,
    BACKOFFS.indexOf(options.backoff),
    options.initialDelayMs,
    options.maxDelayMs,
    options.timeoutMs,
    options.jitter,
    call.idempotencyKey,
    PAYLOAD_ENCODINGS.indexOf(call.argsEncoding),
    call.args === null ? null : asBuffer(call.args),
  ]);
}

export function unpackCall(bytes: Buffer): JobCall {
  const fields = unpackRecord(bytes) as [
    ...[number, number, number, number, number, number],
    ...[string | null, number, Buffer | null],
  ];
  return {
    options: {
      maxAttempts: fields[0],
      backoff: BACKOFFS[fields[1]] as Backoff,
      initialDelayMs: fields[2],
      maxDelayMs: fields[3],
      timeoutMs: fields[4],
      jitter: fields[5],
    },
    idempotencyKey: fields[6],
    argsEncoding: PAYLOAD_ENCODINGS[fields[7]] as PayloadEncoding,
    args: fields[8],
  };
}

/** `largeArgs` are the arguments of a job whose record does not hold them. */
export function toJobRecord(id: string, name: string, job: StoredJob, largeArgs: Uint8Array | null): JobRecord {
  const call = unpackCall(job.call);
  const bytes = call.args ?? largeArgs ?? new Uint8Array(0);
  return {
    id,
    name,
    state: job.state,
    attempt: job.attempt,
    options: call.options,
    priority: job.priority,
    idempotencyKey: call.idempotencyKey,
    createdAt: job.createdAt,
    runAt: job.runAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    workerId: job.run.workerId,
    leaseExpiresAt: job.leaseExpiresAt,
    error: job.run.error,
    args: { encoding: call.argsEncoding, bytes },
    result: job.run.result,
  };
}

/** Most jobs have no error and no result yet, so those come last and are left out. */
function packRun(run: JobRun): Buffer {
  const fields: unknown[] = [run.workerId];
  if (run.error !== null || run.result !== null) {
    fields.push(run.error === null ? null : [run.error.name, run.error.message, run.error.stack]);
    if (run.result !== null) fields.push(PAYLOAD_ENCODINGS.indexOf(run.result.encoding), asBuffer(run.result.bytes));
  }
  return packRecord(fields);
}

function unpackRun(bytes: Buffer): JobRun {
  const fields = unpackRecord(bytes) as [string | null, ([string, string, string | null] | null)?, number?, Buffer?];
  const error = fields[1] ?? null;
  const encoding = fields[2];
  return {
    workerId: fields[0],
    error: error === null ? null : { name: error[0], message: error[1], stack: error[2] },
    result:
      encoding === undefined
        ? null
        : { encoding: PAYLOAD_ENCODINGS[encoding] as PayloadEncoding, bytes: fields[3] as Buffer },
  };
}

function readTime(bytes: Buffer, offset: number): number | null {
  const value = bytes.readDoubleLE(offset);
  return Number.isNaN(value) ? null : value;
}

/** msgpack tells Buffer (plain binary) from Uint8Array (an extension), and records want the plain one. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
