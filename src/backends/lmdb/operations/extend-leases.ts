import type { Lease } from '../../../core/job.ts';
import type { ExtendLeasesParams, LeaseStatus } from '../../../core/storage.ts';
import { decodeJob, EMPTY } from '../job-codec.ts';
import { jobKey, leaseKey, parseJobId } from '../keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { isHeldUnder } from './settle.ts';

export function extendLeases(
  transaction: WriteTransaction,
  { leases, leaseMs }: Readonly<ExtendLeasesParams>,
  now: number,
): LeaseStatus[] {
  return leases.map((lease) => extendOne(transaction, lease, now + leaseMs));
}

function extendOne(transaction: WriteTransaction, lease: Lease, expiresAt: number): LeaseStatus {
  const { tree } = transaction;
  const id = parseJobId(lease.jobId);
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return 'lease_lost';
  const job = decodeJob(bytes);
  if (!isHeldUnder(job, lease)) return 'lease_lost';
  tree.remove(leaseKey(job.leaseExpiresAt as number, id));
  job.leaseExpiresAt = expiresAt;
  tree.put(leaseKey(expiresAt, id), EMPTY);
  transaction.putJob(id, job);
  return job.isCancelRequested ? 'cancel_requested' : 'held';
}
