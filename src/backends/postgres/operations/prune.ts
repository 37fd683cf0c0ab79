import type { PruneParams } from '../../../core/storage.ts';
import type { Query } from '../query.ts';

/** One row: how many were deleted. */
export function pruneQuery({ state, olderThanMs, limit }: PruneParams): Query {
  return { name: 'prune', text: 'select {schema}.prune($1, $2, $3)', values: [state, olderThanMs, limit] };
}

/** How many rows one statement folds; those beyond are left to the next. */
export const FOLD_LIMIT = 20_000;

/** One row: how many rows were folded. */
export function foldCountsQuery(): Query {
  return { name: 'fold_counts', text: 'select {schema}.fold_counts($1)', values: [FOLD_LIMIT] };
}
