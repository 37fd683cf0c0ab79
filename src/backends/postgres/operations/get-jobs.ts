import { isJobId } from '../../../core/job-id.ts';
import { arrayLiteral } from '../array-literal.ts';
import { RECORD_COLUMNS } from '../job-columns.ts';
import type { Query } from '../query.ts';

/** Each of the ids once, where it is one and the job is there. */
export function getJobsQuery(jobIds: readonly string[]): Query {
  return {
    name: 'get_jobs',
    text: `select ${RECORD_COLUMNS} from {schema}.get_jobs($1)`,
    values: [arrayLiteral([...new Set(jobIds)].filter(isJobId))],
  };
}

export function getAttemptsQuery(jobId: string): Query {
  return {
    name: 'get_attempts',
    text: 'select attempt, is_lost, worker_id, started_at, ended_at, error from {schema}.get_attempts($1)',
    values: [jobId],
  };
}
