import { isJobId } from '../../../core/job-id.ts';
import type { Settlement, Suspension } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { CommitSetting, Query } from '../query.ts';
import { leaseColumns } from './settle.ts';

/** Stands for what can be the id of no job: a job that is not there, as this one. */
const NO_JOB = '00000000-0000-0000-0000-000000000000';

export interface SuspendSettlement extends Settlement {
  readonly outcome: Suspension;
}

export function isSuspension(settlement: Settlement): settlement is SuspendSettlement {
  return settlement.outcome.kind === 'suspend';
}

/** Suspends jobs. As `settleQuery`, and its rows are read as those. */
export function suspendQuery(settlements: readonly SuspendSettlement[], commit: CommitSetting): Query {
  const firsts: number[] = [];
  const lasts: number[] = [];
  const awaits: string[] = [];
  for (const { outcome } of settlements) {
    firsts.push(awaits.length + 1);
    for (const id of outcome.awaits) awaits.push(isJobId(id) ? id : NO_JOB);
    lasts.push(awaits.length);
  }
  return {
    name: 'suspend',
    text: 'select place, state, run_at, lane from {schema}.suspend($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [
      ...leaseColumns(settlements),
      arrayLiteral(settlements.map(({ outcome }) => outcome.wakeAt)),
      arrayLiteral(settlements.map(({ outcome }) => outcome.signalsSeen)),
      arrayLiteral(firsts),
      arrayLiteral(lasts),
      arrayLiteral(awaits),
      commit,
    ],
  };
}
