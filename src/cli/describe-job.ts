import type { JobDetails } from '../client/job-access.ts';
import type { JobSummary } from '../core/job.ts';
import { NEVER_DUE } from '../core/options.ts';
import { formatJson } from './format-json.ts';
import { formatFields, formatTable, formatTime } from './terminal.ts';

/** When a job is due; null for a suspended one that no time wakes. */
export function formatDue({ isSuspended, runAt }: Pick<JobSummary, 'isSuspended' | 'runAt'>): string | null {
  return isSuspended && runAt === NEVER_DUE ? null : formatTime(runAt);
}

/** All that is known of a job. `childCount`: how many there are whose parent it is. */
export function describeJob(job: JobDetails, childCount: number): string {
  const { args, result, error } = job;
  const fields = formatFields({
    id: job.id,
    name: job.name,
    status: describeStatus(job),
    attempt: `${job.attempt} of ${job.options.maxAttempts}`,
    priority: job.priority,
    'idempotency key': job.idempotencyKey,
    schedule: job.occurrence === null ? null : `${job.occurrence.scheduleId} for ${formatTime(job.occurrence.dueAt)}`,
    parent: job.parentId,
    children: childCount === 0 ? 0 : `${childCount}, see jobs list --parent ${job.id}`,
    steps: job.stepCount,
    signals: job.signalCount,
    created: formatTime(job.createdAt),
    due: formatDue(job),
    started: formatTime(job.startedAt),
    finished: formatTime(job.finishedAt),
    worker: job.workerId,
    args: formatJson(args),
    result: result === undefined ? null : formatJson(result),
    error: error === null ? null : (error.stack ?? `${error.name}: ${error.message}`),
  });
  return job.history.length === 0 ? fields : `${fields}\n\n${describeHistory(job)}`;
}

function describeStatus({ status, isSuspended, isCancelRequested }: JobDetails): string {
  if (isCancelRequested) return `${status}, asked to stop`;
  return isSuspended ? `${status}, suspended` : status;
}

function describeHistory({ history }: JobDetails): string {
  const rows = history.map((attempt) => [
    attempt.attempt,
    attempt.outcome,
    formatTime(attempt.startedAt),
    formatTime(attempt.endedAt),
    attempt.workerId,
    attempt.error.message.split('\n')[0] ?? '',
  ]);
  return formatTable(['ATTEMPT', 'OUTCOME', 'STARTED', 'ENDED', 'WORKER', 'ERROR'], rows);
}
