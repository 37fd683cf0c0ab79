import type { Lease } from '../../../core/job.ts';
import type { AttemptOutcome, Settlement, SettleResult } from '../../../core/storage.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { type JobId, jobKey, parseJobId, parseUuid } from '../keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { type AttemptEnding, endAttempt } from './end-attempt.ts';
import { suspend } from './suspend.ts';

export function settle(transaction: WriteTransaction, settlements: readonly Settlement[], now: number): SettleResult[] {
  return settlements.map((settlement) => settleOne(transaction, settlement, now));
}

function settleOne(transaction: WriteTransaction, { lease, outcome }: Settlement, now: number): SettleResult {
  const id = parseJobId(lease.jobId);
  const bytes = transaction.tree.get(jobKey(id));
  if (bytes === undefined) return { status: 'lease_lost' };
  const job = decodeJob(bytes);
  if (isHeldUnder(job, lease)) endAttempt(transaction, id, job, endingOf(transaction, id, job, outcome, now), now);
  else if (!wasSettledUnder(job, lease)) return { status: 'lease_lost' };
  return { status: 'settled', state: job.state, runAt: job.runAt };
}

function endingOf(
  transaction: WriteTransaction,
  id: JobId,
  job: StoredJob,
  outcome: AttemptOutcome,
  now: number,
): AttemptEnding {
  const { runAt } = job;
  if (job.isCancelRequested && outcome.kind !== 'success') {
    const error = 'error' in outcome ? outcome.error : null;
    return { event: 'stop', runAt, error, result: null, outcome: error === null ? null : 'failed' };
  }
  switch (outcome.kind) {
    case 'success':
      return { event: 'succeed', runAt, error: null, result: outcome.result, outcome: null };
    case 'retry':
      return { event: 'fail', runAt: now + outcome.delayMs, error: outcome.error, result: null, outcome: 'failed' };
    case 'dead':
      return { event: 'die', runAt, error: outcome.error, result: null, outcome: 'failed' };
    case 'release':
      return { event: 'release', runAt, error: null, result: null, outcome: null };
    case 'suspend':
      return suspend(transaction, id, job, outcome, now);
  }
}

export function isHeldUnder(job: StoredJob, lease: Lease): boolean {
  return job.state === 'running' && job.attempt === lease.attempt && isSameToken(job.leaseToken, lease);
}

function wasSettledUnder(job: StoredJob, lease: Lease): boolean {
  const isSameAttempt = job.settledAttempt > 0 && job.settledAttempt === lease.attempt;
  return isSameAttempt && isSameToken(job.settledToken, lease);
}

function isSameToken(token: Buffer, lease: Lease): boolean {
  const given = parseUuid(lease.token);
  return given !== null && token.equals(given);
}
