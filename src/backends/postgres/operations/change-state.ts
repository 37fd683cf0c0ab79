import type { JobState } from '../../../core/job.ts';
import { isJobId } from '../../../core/job-id.ts';
import type { ChangeResult } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { Query, Row } from '../query.ts';

/** The ids that can be those of jobs, once each, sorted as every statement that waits for locks is. */
export function planIds(jobIds: readonly string[]): string[] {
  return [...new Set(jobIds)].filter(isJobId).sort();
}

/**
 * A row for each job that was cancelled or is asked to stop: its id, lane and state. Without an id: one that was woken, or,
 * without a state as well, the order to call again.
 */
export function cancelQuery(jobIds: readonly string[], isRunningIncluded: boolean): Query {
  return {
    name: 'cancel',
    text: 'select id, lane, state from {schema}.cancel($1, $2)',
    values: [arrayLiteral(jobIds), isRunningIncluded],
  };
}

export function isToRepeat([row]: readonly Row[]): boolean {
  return row !== undefined && row[2] === null;
}

/** A row for each job that was put back: its id, lane and state. */
export function retryQuery(jobIds: readonly string[]): Query {
  return { name: 'retry', text: 'select id, lane, state from {schema}.retry($1)', values: [arrayLiteral(jobIds)] };
}

export function statesQuery(jobIds: readonly string[]): Query {
  return { name: 'states', text: 'select id, state from {schema}.get_states($1)', values: [arrayLiteral(jobIds)] };
}

/** `changed` has the state that each job was put in: `running` where it was asked to stop. An id that comes twice is changed once. */
export function readChanges(
  jobIds: readonly string[],
  changed: ReadonlyMap<string, JobState>,
  states: ReadonlyMap<string, JobState>,
): ChangeResult[] {
  const left = new Set(changed.keys());
  return jobIds.map((id): ChangeResult => {
    const now = changed.get(id);
    if (now === 'running') return { status: 'requested', state: now };
    if (now !== undefined && left.delete(id)) return { status: 'changed', state: now };
    const state = now ?? states.get(id);
    return state === undefined ? { status: 'not_found' } : { status: 'refused', state };
  });
}
