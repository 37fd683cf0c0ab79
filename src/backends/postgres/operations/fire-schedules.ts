import { isJobId } from '../../../core/job-id.ts';
import type { ScheduleFiring } from '../../../core/schedule-operations.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { CommitSetting, Query } from '../query.ts';

/** One statement takes on no more firings once it makes as many jobs. One firing may make more. */
const MAX_STATEMENT_JOBS = 1000;

/**
 * The places of `firings` in the statements that they go in, one after the other. A schedule whose id is no UUID was never
 * stored, and is in none.
 */
export function planFirings(firings: readonly ScheduleFiring[]): number[][] {
  const statements: number[][] = [];
  let jobCount = Number.POSITIVE_INFINITY;
  for (const [place, { scheduleId, jobs }] of firings.entries()) {
    if (!isJobId(scheduleId)) continue;
    if (jobCount + jobs.length > MAX_STATEMENT_JOBS) {
      statements.push([]);
      jobCount = 0;
    }
    statements.at(-1)?.push(place);
    jobCount += jobs.length;
  }
  return statements;
}

/** A row for each firing that is not stale: its place from 1, the lane of its jobs, whether it was overlapped. */
export function fireSchedulesQuery(firings: readonly ScheduleFiring[], commit: CommitSetting): Query {
  const jobs = firings.flatMap((firing) => firing.jobs);
  const firstJobs: number[] = [];
  const lastJobs: number[] = [];
  let made = 0;
  for (const firing of firings) {
    firstJobs.push(made + 1);
    made += firing.jobs.length;
    lastJobs.push(made);
  }
  return {
    name: 'fire_schedules',
    text: 'select place, lane, is_overlapped from {schema}.fire_schedules($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [
      arrayLiteral(firings.map(({ scheduleId }) => scheduleId)),
      arrayLiteral(firings.map(({ revision }) => revision)),
      arrayLiteral(firings.map(({ nextRunAt }) => nextRunAt)),
      arrayLiteral(firstJobs),
      arrayLiteral(lastJobs),
      arrayLiteral(jobs.map(({ id }) => id)),
      arrayLiteral(jobs.map(({ dueAt }) => dueAt)),
      commit,
    ],
  };
}
