import type { JobState } from '../../../core/job.ts';
import { LIMITS } from '../../../core/options.ts';
import type { NewSignal, SignalResult } from '../../../core/step-operations.ts';
import { arrayLiteral, byteaArrayLiteral } from '../array-literal.ts';
import { PayloadPack } from '../payload-column.ts';
import type { CommitSetting, Query, Row } from '../query.ts';

/** Sends signals in their order. The ids are UUIDs. */
export function signalQuery(signals: readonly NewSignal[], commit: CommitSetting): Query {
  const payloads = new PayloadPack();
  for (const { payload } of signals) payloads.add(payload);
  return {
    name: 'signal',
    text: 'select place, state, lane from {schema}.signal($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [
      arrayLiteral(signals.map(({ id }) => id)),
      arrayLiteral(signals.map(({ jobId }) => jobId)),
      byteaArrayLiteral(signals.map(({ name }) => name)),
      arrayLiteral(payloads.isJson),
      arrayLiteral(payloads.starts),
      arrayLiteral(payloads.lengths),
      payloads.bytes(),
      LIMITS.signals,
      commit,
    ],
  };
}

export const NOT_FOUND: SignalResult = { status: 'not_found' };

/** By place from 1; a signal without a row has no job. */
export function readSignalled(signals: readonly NewSignal[], rows: readonly Row[]): SignalResult[] {
  const results = signals.map(() => NOT_FOUND);
  for (const [place, state] of rows) {
    const isStored = state === 'stored';
    results[Number(place) - 1] = isStored ? { status: 'stored' } : { status: 'refused', state: state as JobState };
  }
  return results;
}

/** Of the jobs that were woken. */
export function lanesOfWoken(rows: readonly Row[]): number[] {
  return rows.filter(([, , lane]) => typeof lane === 'string').map(([, , lane]) => Number(lane));
}
