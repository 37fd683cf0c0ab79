import { isFinished } from '../../../core/job.ts';
import type { FiringStatus, ScheduleFiring } from '../../../core/schedule-operations.ts';
import { decodeJob, EMPTY, packOccurrence } from '../job-codec.ts';
import { jobKey, parseJobId } from '../keys.ts';
import type { StoredSchedule } from '../schedule-codec.ts';
import { advanceSchedule, readSchedule, readScheduleArgs } from '../schedules.ts';
import type { Tree } from '../tree.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { enqueueOne } from './enqueue.ts';

export function fireSchedules(
  transaction: WriteTransaction,
  firings: readonly ScheduleFiring[],
  now: number,
): FiringStatus[] {
  return firings.map((firing) => fireOne(transaction, firing, now));
}

function fireOne(transaction: WriteTransaction, firing: ScheduleFiring, now: number): FiringStatus {
  const { tree } = transaction;
  const { revision, nextRunAt } = firing;
  const stored = readSchedule(tree, parseJobId(firing.scheduleId));
  if (stored?.summary.revision !== revision || stored.summary.state !== 'active') return 'stale';
  const { summary } = stored;
  const isOverlapped = summary.overlap === 'skip' && hasUnfinished(tree, summary.lastJobId);
  const jobs = isOverlapped ? [] : firing.jobs;
  if (jobs.length > 0) addJobs(transaction, stored, jobs, now);
  const last = jobs.at(-1);
  advanceSchedule(transaction, stored, {
    ...summary,
    nextRunAt,
    lastRunAt: last?.dueAt ?? summary.lastRunAt,
    lastJobId: last?.id ?? summary.lastJobId,
    revision: revision + 1,
  });
  return isOverlapped ? 'overlapped' : 'fired';
}

function addJobs(
  transaction: WriteTransaction,
  stored: StoredSchedule,
  jobs: ScheduleFiring['jobs'],
  now: number,
): void {
  const { id: scheduleId, jobName: name, options, priority } = stored.summary;
  const args = readScheduleArgs(transaction.tree, stored);
  for (const { id, dueAt } of jobs) {
    const job = { id, name, args, options, priority, idempotencyKey: null, delayMs: null, runAt: dueAt };
    enqueueOne(transaction, job, now, { occurrence: packOccurrence(parseJobId(scheduleId), dueAt), parentId: EMPTY });
  }
  transaction.workNames.add(name);
}

function hasUnfinished(tree: Tree, jobId: string | null): boolean {
  const bytes = jobId === null ? undefined : tree.get(jobKey(parseJobId(jobId)));
  return bytes !== undefined && !isFinished(decodeJob(bytes).state);
}
