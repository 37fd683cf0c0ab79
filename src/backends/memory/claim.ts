import type { JobRecord } from '../../core/job.ts';
import type { ClaimedJob, ClaimParams } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';
import { copyRecord, type StoredJob } from './stored-job.ts';

/** Takes due jobs under a lease, one job a name a turn. */
export function claimJobs(
  table: JobTable,
  { names, limit, ...held }: Readonly<ClaimParams>,
  now: number,
): ClaimedJob[] {
  const jobs: ClaimedJob[] = [];
  let namesWithDue = names;
  while (jobs.length < limit && namesWithDue.length > 0) {
    namesWithDue = namesWithDue.filter((name) => {
      if (jobs.length === limit) return false;
      const job = table.firstDue(name, now);
      if (job === null) return false;
      jobs.push({ ...copyRecord(claimJob(table, job, held, now)), isResumed: job.record.isSuspended });
      return true;
    });
  }
  return jobs;
}

function claimJob(
  table: JobTable,
  job: StoredJob,
  { workerId, leaseToken, leaseMs }: Pick<ClaimParams, 'workerId' | 'leaseToken' | 'leaseMs'>,
  now: number,
): JobRecord {
  const attempt = job.record.attempt + 1;
  const leaseExpiresAt = now + leaseMs;
  return table.update(job, {
    leaseToken,
    suspension: null,
    record: { state: 'running', isSuspended: false, attempt, startedAt: now, leaseExpiresAt, workerId },
  }).record;
}
