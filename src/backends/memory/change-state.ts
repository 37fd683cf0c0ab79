import { type JobEvent, type JobRecord, nextState } from '../../core/job.ts';
import type { ChangeResult } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';

/** What became of one change, and the job if it changed. */
export interface Changed {
  readonly result: ChangeResult;
  readonly job: JobRecord | null;
}

/** Moves a job by hand; `isRunningIncluded`: one that is running is asked to stop instead. */
export function cancelJob(table: JobTable, jobId: string, isRunningIncluded: boolean, now: number): Changed {
  const job = table.get(jobId);
  if (job === null || job.record.state !== 'running' || !isRunningIncluded) {
    return changeJob(table, jobId, 'cancel', { finishedAt: now });
  }
  table.update(job, { record: { isCancelRequested: true } });
  return { result: { status: 'requested', state: 'running' }, job: null };
}

export function retryJob(table: JobTable, jobId: string, now: number): Changed {
  const anew = { attempt: 0, error: null, finishedAt: null, startedAt: null, workerId: null, runAt: now };
  return changeJob(table, jobId, 'retry', anew);
}

function changeJob(table: JobTable, jobId: string, event: JobEvent, change: Partial<JobRecord>): Changed {
  const job = table.get(jobId);
  if (job === null) return { result: { status: 'not_found' }, job: null };
  const state = nextState(job.record.state, event);
  if (state === null) return { result: { status: 'refused', state: job.record.state }, job: null };
  const changed = table.update(job, { suspension: null, record: { ...change, isSuspended: false, state } });
  return { result: { status: 'changed', state }, job: changed.record };
}
