import type { EnqueueResult, NewJob } from '../../../core/storage.ts';
import { NEW_RUN, NO_TOKEN, packCall, type StoredJob } from '../job-codec.ts';
import { formatJobId, idempotencyKey, type JobId, jobKey, parseJobId, payloadKey } from '../keys.ts';
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
  const hasLargeArgs = job.args.bytes.length > MAX_INLINE_ARGS_BYTES;
  if (hasLargeArgs) putLargeArgs(transaction, id, job);
  const stored: StoredJob = {
    state: 'pending',
    nameId,
    sequence: transaction.nextJobSequence(),
    priority: job.priority,
    createdAt: now,
    hasLargeArgs,
    attempt: 0,
    failures: 0,
    runAt: job.delayMs === null ? (job.runAt ?? now) : now + job.delayMs,
    startedAt: null,
    finishedAt: null,
    leaseExpiresAt: null,
    leaseToken: NO_TOKEN,
    settledAttempt: 0,
    settledToken: NO_TOKEN,
    call: packCall({
      options: job.options,
      idempotencyKey: job.idempotencyKey,
      argsEncoding: job.args.encoding,
      args: hasLargeArgs ? null : job.args.bytes,
    }),
    run: NEW_RUN,
  };
  transaction.putJob(id, stored);
  transaction.addToIndexes(id, stored, null);
  return { jobId: job.id, deduplicated: false };
}

function putLargeArgs(transaction: WriteTransaction, id: JobId, { args: { bytes } }: NewJob): void {
  transaction.tree.put(payloadKey(id), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
