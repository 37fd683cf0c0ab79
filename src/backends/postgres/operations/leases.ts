import type { Lease } from '../../../core/job.ts';
import { isJobId } from '../../../core/job-id.ts';
import type { LeaseStatus, ReclaimResult } from '../../../core/storage.ts';
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

export function extendLeasesQuery(planned: readonly Lease[], leaseMs: number): Query {
  return {
    name: 'extend_leases',
    text: 'select {schema}.extend_leases($1, $2, $3, $4)',
    values: [
      arrayLiteral(planned.map(({ jobId }) => jobId)),
      arrayLiteral(planned.map(({ attempt }) => attempt)),
      arrayLiteral(planned.map(({ token }) => token)),
      leaseMs,
    ],
  };
}

/** The rows are the places, from 1, of those of `planned` that are held. */
export function readExtended(leases: readonly Lease[], planned: readonly Lease[], rows: readonly Row[]): LeaseStatus[] {
  const held = new Set(rows.map(([place]) => keyOf(planned[Number(place) - 1] as Lease)));
  return leases.map((lease) => (held.has(keyOf(lease)) ? 'held' : 'lease_lost'));
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

export function readReclaimed(rows: readonly Row[], lanes: Lanes): ReclaimResult {
  return {
    jobs: rows.slice(0, -1).map(([jobId, lane, attempt, state]) => ({
      jobId: jobId as string,
      name: lanes.read(Number(lane)).name,
      attempt: Number(attempt),
      state: state as 'pending' | 'dead',
    })),
    nextExpiryInMs: readNumber(rows.at(-1)?.[4]),
  };
}
