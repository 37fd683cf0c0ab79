import type { EnqueueResult, NewJob } from '../../../core/storage.ts';
import { asBuffer, EMPTY, NO_TOKEN, type StoredJob } from '../job-codec.ts';
import { formatJobId, idempotencyKey, jobKey, parseJobId, payloadKey } from '../keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';

/** Larger arguments go under a key of their own, so that a claim and a settle do not copy them along. */
const MAX_INLINE_ARGS_BYTES = 1024;

export function enqueue(transaction: WriteTransaction, jobs: readonly NewJob[], now: number): EnqueueResult[] {
  return jobs.map((job) => enqueueOne(transaction, job, now));
}

function enqueueOne(transaction: WriteTransaction, job: NewJob, now: number): EnqueueResult {
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
  const hasLargeArgs = args.length > MAX_INLINE_ARGS_BYTES;
  if (hasLargeArgs) tree.put(payloadKey(id), args);
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
    argsEncoding: job.args.encoding,
    args: hasLargeArgs ? null : args,
    workerId: EMPTY,
    error: EMPTY,
    result: null,
  };
  transaction.putJob(id, stored);
  transaction.addToIndexes(id, stored, null);
  return { jobId: job.id, deduplicated: false };
}
