import type { JobRecord } from '../../core/job.ts';
import type { Payload } from '../../core/payload.ts';
import { EMPTY, type StoredJob, unpackError, unpackOccurrence } from './job-codec.ts';
import { formatJobId } from './keys.ts';

export interface LargePayloads {
  readonly args: Buffer | null;
  readonly result: Buffer | null;
}

/** `large` are the payloads that the record itself does not hold. */
export function toJobRecord(id: string, name: string, job: StoredJob, large: LargePayloads): JobRecord {
  return {
    id,
    name,
    state: job.state,
    attempt: job.attempt,
    options: job.options,
    priority: job.priority,
    idempotencyKey: textOrNull(job.idempotencyKey),
    occurrence: unpackOccurrence(job.occurrence),
    parentId: job.parentId.length === 0 ? null : formatJobId(job.parentId),
    stepCount: job.stepCount,
    signalCount: job.signalCount,
    isSuspended: job.isSuspended,
    isCancelRequested: job.isCancelRequested,
    createdAt: job.createdAt,
    runAt: job.runAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    workerId: textOrNull(job.workerId),
    leaseExpiresAt: job.leaseExpiresAt,
    error: unpackError(job.error),
    args: { encoding: job.argsEncoding, bytes: job.args ?? large.args ?? EMPTY },
    result: toResult(job, large),
  };
}

function toResult({ resultEncoding, result }: StoredJob, large: LargePayloads): Payload | null {
  return resultEncoding === null ? null : { encoding: resultEncoding, bytes: result ?? large.result ?? EMPTY };
}

/** Neither keys nor worker ids can be empty, so no bytes are no text. */
function textOrNull(bytes: Buffer): string | null {
  return bytes.length === 0 ? null : bytes.toString();
}
