import type { JobState } from '../../../core/job.ts';
import { isJobId } from '../../../core/job-id.ts';
import type { Settlement, SettleResult } from '../../../core/storage.ts';
import { arrayLiteral, textArrayLiteral } from '../array-literal.ts';
import { writeError } from '../job-columns.ts';
import { PayloadPack } from '../payload-column.ts';
import type { CommitSetting, Query, Row } from '../query.ts';

/**
 * Ends attempts. The settlements are of one job each, sorted by its id, and their tokens are UUIDs: see
 * {@link planSettlements}.
 */
export function settleQuery(settlements: readonly Settlement[], commit: CommitSetting): Query {
  const payloads = new PayloadPack();
  for (const { outcome } of settlements) payloads.add(outcome.kind === 'success' ? outcome.result : null);
  return {
    name: 'settle',
    text: 'select place, state, run_at, lane from {schema}.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [
      arrayLiteral(settlements.map(({ lease }) => lease.jobId)),
      arrayLiteral(settlements.map(({ lease }) => lease.attempt)),
      arrayLiteral(settlements.map(({ lease }) => lease.token)),
      arrayLiteral(settlements.map(({ outcome }) => outcome.kind)),
      arrayLiteral(settlements.map(({ outcome }) => (outcome.kind === 'retry' ? outcome.delayMs : null))),
      textArrayLiteral(settlements.map(({ outcome }) => ('error' in outcome ? writeError(outcome.error) : null))),
      arrayLiteral(payloads.isJson),
      arrayLiteral(payloads.starts),
      arrayLiteral(payloads.lengths),
      payloads.bytes(),
      commit,
    ],
  };
}

/** How a settlement ended, and the lane of its job. */
export interface Settled {
  readonly result: SettleResult;
  readonly lane: number | null;
}

export const LEASE_LOST: Settled = { result: { status: 'lease_lost' }, lane: null };

/** By place from 1; a settlement without a row has lost its lease. */
export function readSettled(count: number, rows: readonly Row[]): Settled[] {
  const settled = Array.from({ length: count }, () => LEASE_LOST);
  for (const [place, state, runAt, lane] of rows) {
    settled[Number(place) - 1] = {
      result: { status: 'settled', state: state as JobState, runAt: Number(runAt) },
      lane: Number(lane),
    };
  }
  return settled;
}

/**
 * The places of `settlements` in the statements that they go in, one after the other: none names a job twice, so that the
 * first of two settlements of one lease stands; each is sorted by job. A lease of which no UUID is the job or the token
 * was never given, and is in none.
 */
export function planSettlements(settlements: readonly Settlement[]): number[][] {
  const statements: number[][] = [];
  const timesSeen = new Map<string, number>();
  for (const [place, { lease }] of settlements.entries()) {
    if (!isJobId(lease.jobId) || !isJobId(lease.token)) continue;
    const times = timesSeen.get(lease.jobId) ?? 0;
    timesSeen.set(lease.jobId, times + 1);
    const statement = statements[times];
    if (statement === undefined) statements[times] = [place];
    else statement.push(place);
  }
  const idAt = (place: number): string => (settlements[place] as Settlement).lease.jobId;
  for (const places of statements) places.sort((a, b) => (idAt(a) < idAt(b) ? -1 : 1));
  return statements;
}
