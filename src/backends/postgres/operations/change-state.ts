import type { JobState } from '../../../core/job.ts';
import { isJobId } from '../../../core/job-id.ts';
import type { ChangeResult } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { Query, Row } from '../query.ts';

/** What changes jobs by id, and the state that it leads to. */
export const CHANGES = { cancel: 'cancelled', retry: 'pending' } as const;
export type Change = keyof typeof CHANGES;

/** The ids that can be those of jobs, once each, sorted as every statement that waits for locks is. */
export function planIds(jobIds: readonly string[]): string[] {
  return [...new Set(jobIds)].filter(isJobId).sort();
}

/** The rows are the id and lane of each job that was changed. */
export function changeQuery(change: Change, jobIds: readonly string[]): Query {
  return { name: change, text: `select id, lane from {schema}.${change}($1)`, values: [arrayLiteral(jobIds)] };
}

export function statesQuery(jobIds: readonly string[]): Query {
  return { name: 'states', text: 'select id, state from {schema}.get_states($1)', values: [arrayLiteral(jobIds)] };
}

/** An id that comes twice is changed once. */
export function readChanges(
  change: Change,
  jobIds: readonly string[],
  changed: ReadonlySet<string>,
  states: readonly Row[],
): ChangeResult[] {
  const left = new Set(changed);
  const stateById = new Map(states.map(([id, state]) => [id, state as JobState]));
  return jobIds.map((id): ChangeResult => {
    if (left.delete(id)) return { status: 'changed', state: CHANGES[change] };
    const state = changed.has(id) ? CHANGES[change] : stateById.get(id);
    return state === undefined ? { status: 'not_found' } : { status: 'refused', state };
  });
}
