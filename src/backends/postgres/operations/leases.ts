import type { Lease } from '../../../core/job.ts';
import { isJobId } from '../../../core/job-id.ts';
import type { LeaseStatus, ReclaimedJob, ReclaimResult } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import { readNumber } from '../job-columns.ts';
import type { Lanes } from '../lanes.ts';
import type { Query, Row } from '../query.ts';

/** The leases that could have been given, once each, sorted by job as every statement that waits for locks is. */
export function planLeases(leases: readonly Lease[]): Lease[] {
  const byKey = new Map(leases.map((lease) => [keyOf(lease), lease]));
  return [...byKey.values()]
    .filter(({ jobId, token }) => isJobId(jobId) && isJobId(token))
    .sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
}

/**
 * The places of `leases` in the statements that they go in, one after the other: none names a job twice, so that the first
 * of two calls under one lease stands; each is sorted by job. A lease of which no UUID is the job or the token was never
 * given, and is in none.
 */
export function planByJob(leases: readonly Lease[]): number[][] {
  const statements: number[][] = [];
  const timesSeen = new Map<string, number>();
  for (const [place, { jobId, token }] of leases.entries()) {
    if (!isJobId(jobId) || !isJobId(token)) continue;
    const times = timesSeen.get(jobId) ?? 0;
    timesSeen.set(jobId, times + 1);
    const statement = statements[times];
    if (statement === undefined) statements[times] = [place];
    else statement.push(place);
  }
  const idAt = (place: number): string => (leases[place] as Lease).jobId;
  for (const places of statements) places.sort((a, b) => (idAt(a) < idAt(b) ? -1 : 1));
  return statements;
}

export function extendLeasesQuery(planned: readonly Lease[], leaseMs: number): Query {
  return {
    name: 'extend_leases',
    text: 'select place, is_cancel_requested from {schema}.extend_leases($1, $2, $3, $4)',
    values: [
      arrayLiteral(planned.map(({ jobId }) => jobId)),
      arrayLiteral(planned.map(({ attempt }) => attempt)),
      arrayLiteral(planned.map(({ token }) => token)),
      leaseMs,
    ],
  };
}

/** The rows are the places, from 1, of those of `planned` that are held, and whether they are asked to stop. */
export function readExtended(leases: readonly Lease[], planned: readonly Lease[], rows: readonly Row[]): LeaseStatus[] {
  const statuses = new Map<string, LeaseStatus>();
  for (const [place, isCancelRequested] of rows) {
    const lease = planned[Number(place) - 1] as Lease;
    statuses.set(keyOf(lease), isCancelRequested === 't' ? 'cancel_requested' : 'held');
  }
  return leases.map((lease) => statuses.get(keyOf(lease)) ?? 'lease_lost');
}

function keyOf({ jobId, attempt, token }: Lease): string {
  return `${jobId}/${attempt}/${token}`;
}

export function reclaimExpiredQuery(limit: number): Query {
  return {
    name: 'reclaim_expired',
    text: 'select id, lane, attempt, state, wait_ms from {schema}.reclaim_expired($1)',
    values: [limit],
  };
}

/** A row without an id is of a job that was woken, the last one of the time. */
export function readReclaimed(rows: readonly Row[], lanes: Lanes): ReclaimResult {
  const reclaimed = rows.filter(([jobId]) => jobId !== null);
  return {
    jobs: reclaimed.map(([jobId, lane, attempt, state]) => ({
      jobId: jobId as string,
      name: lanes.read(Number(lane)).name,
      attempt: Number(attempt),
      state: state as ReclaimedJob['state'],
    })),
    nextExpiryInMs: readNumber(rows.at(-1)?.[4]),
  };
}
