import { ReseolioError } from '../core/errors.ts';
import { JOB_STATES, type JobState } from '../core/job.ts';
import { isJobId } from '../core/job-id.ts';
import { assertJobName, assertNumber, describeValue, LIMITS } from '../core/options.ts';
import type { ListJobsParams } from '../core/storage.ts';
import { assertKeys, assertOneOf } from './client-options.ts';

export interface ListJobsQuery {
  /** Only jobs in these states. Default: all. */
  readonly statuses?: readonly JobState[];
  /** Only jobs of these functions. Default: all. */
  readonly names?: readonly string[];
  /** Only the children of this job: those that its handler called. */
  readonly parentId?: string;
  /** At most so many, 1 to 1000. Default 100. */
  readonly limit?: number;
  /** Leave out so many at the start, 0 to 1 000 000. Default 0. */
  readonly offset?: number;
  /** By the time of the call, or by the time they are due. Default `createdAt`. */
  readonly orderBy?: 'createdAt' | 'scheduledAt';
  /** Oldest first. Default false. */
  readonly ascending?: boolean;
}

const QUERY_KEYS: ReadonlySet<string> = new Set([
  'statuses',
  'names',
  'parentId',
  'limit',
  'offset',
  'orderBy',
  'ascending',
] satisfies (keyof ListJobsQuery)[]);

/** Throws `invalid_option` or `invalid_name` for what cannot be asked. */
export function resolveListJobsQuery(query: ListJobsQuery): ListJobsParams {
  assertKeys('listJobs', query, QUERY_KEYS);
  const { statuses = null, names = null, parentId = null, limit = 100, offset = 0 } = query;
  const { orderBy = 'createdAt', ascending = false } = query;
  if (statuses !== null) assertAll('statuses', statuses, (status) => assertOneOf('a status', status, JOB_STATES));
  if (names !== null) assertAll('names', names, assertJobName);
  if (parentId !== null && !isJobId(parentId)) throw invalid(`parentId is ${describeValue(parentId)}: use a job id`);
  assertNumber('limit', limit, 1, LIMITS.listPage, true);
  assertNumber('offset', offset, 0, LIMITS.listOffset, true);
  assertOneOf('orderBy', orderBy, ['createdAt', 'scheduledAt']);
  assertOneOf('ascending', ascending, [true, false]);
  return { states: statuses, names, parentId, limit, offset, orderBy, isAscending: ascending };
}

function assertAll(what: string, given: unknown, assertOne: (item: unknown) => void): void {
  if (!Array.isArray(given) || given.length > LIMITS.listPage) {
    throw invalid(`${what} is ${describeValue(given)}: use an array of at most ${LIMITS.listPage}`);
  }
  for (const item of given) assertOne(item);
}

function invalid(message: string): ReseolioError {
  return new ReseolioError('invalid_option', message);
}
