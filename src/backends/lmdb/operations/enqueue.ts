import type { EnqueueResult, NewJob } from '../../../core/storage.ts';
import { asBuffer, EMPTY, MAX_INLINE_BYTES, NO_TOKEN, type StoredJob } from '../job-codec.ts';
import { formatJobId, idempotencyKey, jobKey, largePayloadKey, parseJobId } from '../keys.ts';
import { childKey } from '../workflow-keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';

/** Where a new job comes from, as its record holds it. */
export type JobOrigin = Pick<StoredJob, 'occurrence' | 'parentId'>;

const CALLED: JobOrigin = { occurrence: EMPTY, parentId: EMPTY };

export function enqueue(transaction: WriteTransaction, jobs: readonly NewJob[], now: number): EnqueueResult[] {
  return jobs.map((job) => enqueueOne(transaction, job, now, CALLED));
}

export function enqueueOne(
  transaction: WriteTransaction,
  job: NewJob,
  now: number,
  { occurrence, parentId }: JobOrigin,
): EnqueueResult {
  const { tree } = transaction;
  const id = parseJobId(job.id);
  if (tree.get(jobKey(id)) !== undefined) return { jobId: job.id, deduplicated: false };
  const nameId = transaction.nameIdOf(job.name);
  if (job.idempotencyKey !== null) {
    const key = idempotencyKey(nameId, job.idempotencyKey);
    const existing = tree.get(key);
    if (existing !== undefined) return { jobId: formatJobId(existing), deduplicated: true };
    tree.put(key, id);
  }
  const args = asBuffer(job.args.bytes);
  const hasLargeArgs = args.length > MAX_INLINE_BYTES;
  if (hasLargeArgs) tree.put(largePayloadKey(id, 'args'), args);
  const stored: StoredJob = {
    state: 'pending',
    nameId,
    sequence: transaction.nextJobSequence(),
    priority: job.priority,
    createdAt: now,
    options: job.options,
    attempt: 0,
    failures: 0,
    runAt: job.delayMs === null ? (job.runAt ?? now) : now + job.delayMs,
    startedAt: null,
    finishedAt: null,
    leaseExpiresAt: null,
    leaseToken: NO_TOKEN,
    settledAttempt: 0,
    settledToken: NO_TOKEN,
    idempotencyKey: job.idempotencyKey === null ? EMPTY : Buffer.from(job.idempotencyKey),
    occurrence,
    parentId,
    stepCount: 0,
    signalCount: 0,
    isSuspended: false,
    signalsSeen: null,
    isCancelRequested: false,
    isAwaited: false,
    argsEncoding: job.args.encoding,
    args: hasLargeArgs ? null : args,
    workerId: EMPTY,
    error: EMPTY,
    resultEncoding: null,
    result: null,
  };
  if (parentId.length > 0) tree.put(childKey(parentId, now, stored.sequence), id);
  transaction.putJob(id, stored);
  transaction.addToIndexes(id, stored, null);
  return { jobId: job.id, deduplicated: false };
}
