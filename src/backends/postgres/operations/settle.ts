import type { JobState } from '../../../core/job.ts';
import { waitCycleError } from '../../../core/job.ts';
import type { Settlement, SettleResult } from '../../../core/storage.ts';
import { arrayLiteral, textArrayLiteral } from '../array-literal.ts';
import { writeError } from '../job-columns.ts';
import { PayloadPack } from '../payload-column.ts';
import type { CommitSetting, Query, Row, Value } from '../query.ts';

/**
 * Ends attempts. The settlements are of one job each, sorted by its id, and their tokens are UUIDs: see
 * `planByJob`. None is a suspension.
 */
export function settleQuery(settlements: readonly Settlement[], commit: CommitSetting): Query {
  return {
    name: 'settle',
    text: 'select place, state, run_at, lane from {schema}.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [
      ...leaseColumns(settlements),
      arrayLiteral(settlements.map(({ outcome }) => outcome.kind)),
      arrayLiteral(settlements.map(({ outcome }) => (outcome.kind === 'retry' ? outcome.delayMs : null))),
      ...outcomeColumns(settlements),
      commit,
    ],
  };
}

/** The same for those that {@link readSettled} found to be settled apart, suspensions among them. */
export function settleApartQuery(settlements: readonly Settlement[], commit: CommitSetting): Query {
  return {
    name: 'settle_apart',
    text: 'select place, state, run_at, lane from {schema}.settle_apart($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    values: [
      ...leaseColumns(settlements),
      arrayLiteral(settlements.map(({ outcome }) => outcome.kind)),
      ...outcomeColumns(settlements),
      commit,
    ],
  };
}

/** What `settle`, `suspend` and the like take first. */
export function leaseColumns(settlements: readonly Pick<Settlement, 'lease'>[]): Value[] {
  return [
    arrayLiteral(settlements.map(({ lease }) => lease.jobId)),
    arrayLiteral(settlements.map(({ lease }) => lease.attempt)),
    arrayLiteral(settlements.map(({ lease }) => lease.token)),
  ];
}

function outcomeColumns(settlements: readonly Settlement[]): Value[] {
  const payloads = new PayloadPack();
  for (const { outcome } of settlements) payloads.add(outcome.kind === 'success' ? outcome.result : null);
  return [
    textArrayLiteral(settlements.map(({ outcome }) => ('error' in outcome ? writeError(outcome.error) : null))),
    arrayLiteral(payloads.isJson),
    arrayLiteral(payloads.starts),
    arrayLiteral(payloads.lengths),
    payloads.bytes(),
  ];
}

/** How a settlement ended, and the lane of its job. */
export interface Settled {
  readonly result: SettleResult;
  readonly lane: number | null;
}

export const LEASE_LOST: Settled = { result: { status: 'lease_lost' }, lane: null };

/** What a statement made of its settlements. */
export interface SettledRows {
  /** By position. One that is to be settled apart is here as it is to be settled then. */
  readonly settled: readonly (Settled | Settlement)[];
  /** Of jobs that were woken. */
  readonly wokenLanes: readonly number[];
}

/** By place from 1; a settlement without a row has lost its lease, a row without a place is of a job that was woken. */
export function readSettled(settlements: readonly Settlement[], rows: readonly Row[]): SettledRows {
  const settled: (Settled | Settlement)[] = settlements.map(() => LEASE_LOST);
  const wokenLanes: number[] = [];
  for (const [place, state, runAt, lane] of rows) {
    if (place === null) {
      wokenLanes.push(Number(lane));
      continue;
    }
    const index = Number(place) - 1;
    const settlement = settlements[index] as Settlement;
    if (state === 'apart') settled[index] = settlement;
    else if (state === 'cycle') settled[index] = endInCycle(settlement);
    else {
      settled[index] = {
        result: { status: 'settled', state: state as JobState, runAt: Number(runAt) },
        lane: Number(lane),
      };
    }
  }
  return { settled, wokenLanes };
}

function endInCycle({ lease }: Settlement): Settlement {
  return { lease, outcome: { kind: 'dead', error: waitCycleError(lease.jobId) } };
}
