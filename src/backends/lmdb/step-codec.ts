import { type PayloadEncoding, packRecord, unpackRecord } from '../../core/payload.ts';
import type { StoredSignal, StoredStep } from '../../core/step-operations.ts';
import { asBuffer, EMPTY } from './job-codec.ts';
import { formatJobId, ID_BYTES, parseJobId } from './keys.ts';

const NO_CHILD = Buffer.from([0]);
const HAS_CHILD = Buffer.from([1]);

/** Whether there is a child, its id, and the body as it is: that can be large, and is not looked into. */
export function encodeStep({ jobId, body }: StoredStep): Buffer {
  const head = jobId === null ? [NO_CHILD] : [HAS_CHILD, parseJobId(jobId)];
  return Buffer.concat([...head, asBuffer(body)]);
}

export function decodeStep(bytes: Buffer): StoredStep {
  if (bytes[0] === NO_CHILD[0]) return { jobId: null, body: bytes.subarray(1) };
  return { jobId: formatJobId(bytes, 1), body: bytes.subarray(1 + ID_BYTES) };
}

export function encodeSignal({ name, payload }: StoredSignal): Buffer {
  return packRecord([name, payload?.encoding ?? null, payload === null ? EMPTY : asBuffer(payload.bytes)]);
}

export function decodeSignal(bytes: Buffer): StoredSignal {
  const [name, encoding, body] = unpackRecord(bytes) as [string, PayloadEncoding | null, Buffer];
  return { name, payload: encoding === null ? null : { encoding, bytes: body } };
}
