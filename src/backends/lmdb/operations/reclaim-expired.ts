import { lostAttemptError, reclaimEvent } from '../../../core/job.ts';
import type { ReclaimedJob, ReclaimParams, ReclaimResult } from '../../../core/storage.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { ALL_LEASES, formatJobId, jobKey, leaseExpiry, leaseJobId } from '../keys.ts';
import type { Tree } from '../tree.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { endAttempt } from './end-attempt.ts';

/** Milliseconds until the next lease expires, 0 if one has, null if none is held. */
export function nextExpiryInMs(tree: Tree, now: number): number | null {
  const first = tree.first(ALL_LEASES);
  return first === undefined ? null : Math.max(0, leaseExpiry(first.key) - now);
}

export function reclaimExpired(
  transaction: WriteTransaction,
  { limit }: Readonly<ReclaimParams>,
  now: number,
): ReclaimResult {
  const jobs: ReclaimedJob[] = [];
  for (const { key } of transaction.tree.scan({ ...ALL_LEASES, limit })) {
    if (leaseExpiry(key) > now) break;
    jobs.push(reclaimOne(transaction, leaseJobId(key), now));
  }
  return { jobs, nextExpiryInMs: nextExpiryInMs(transaction.tree, now) };
}

function reclaimOne(transaction: WriteTransaction, id: Buffer, now: number): ReclaimedJob {
  const job: StoredJob = decodeJob(transaction.tree.get(jobKey(id)) as Buffer);
  const event = reclaimEvent(job.attempt, job.options.maxAttempts, job.isCancelRequested);
  endAttempt(
    transaction,
    id,
    job,
    {
      event,
      runAt: event === 'fail' ? now : job.runAt,
      error: lostAttemptError(job.workerId.toString()),
      result: null,
      outcome: 'lost',
    },
    now,
  );
  return {
    jobId: formatJobId(id),
    name: transaction.nameOf(job.nameId),
    attempt: job.attempt,
    state: job.state as ReclaimedJob['state'],
  };
}
