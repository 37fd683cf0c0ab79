import { isFinished, JOB_STATES, type JobState } from '../../core/job.ts';
import type { ListJobsParams, ListJobsResult, NameCounts, PruneParams } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';
import { copySummary, finishTime, type StoredJob } from './stored-job.ts';

export function listJobs(table: JobTable, params: ListJobsParams): ListJobsResult {
  const { states, names, parentId, limit, offset, orderBy, isAscending } = params;
  const timeOf = ({ record }: StoredJob) => (orderBy === 'createdAt' ? record.createdAt : record.runAt);
  const direction = isAscending ? 1 : -1;
  const matching = table
    .all()
    .filter(({ record }) => states === null || states.includes(record.state))
    .filter(({ record }) => names === null || names.includes(record.name))
    .filter(({ record }) => parentId === null || record.parentId === parentId)
    .sort((a, b) => direction * (timeOf(a) - timeOf(b) || a.sequence - b.sequence));
  const page = matching.slice(offset, offset + limit);
  return { jobs: page.map(({ record }) => copySummary(record)), total: matching.length };
}

export function countJobs(table: JobTable): NameCounts[] {
  const all = table.all().map(({ record }) => record);
  const names = [...new Set(all.map(({ name }) => name))].sort();
  return names.map((name) => {
    const counts = { name } as { name: string } & Record<JobState, number>;
    for (const state of JOB_STATES) counts[state] = 0;
    for (const record of all) if (record.name === name) counts[record.state]++;
    return counts;
  });
}

/** The jobs that {@link PruneParams} mean, those that finished first at the front. */
export function findPrunable(
  table: JobTable,
  { state, olderThanMs, limit }: Readonly<PruneParams>,
  now: number,
): StoredJob[] {
  return table
    .all()
    .filter(({ record }) => record.state === state && now - finishTime(record) > olderThanMs)
    .filter((job) => !isNeededByParent(table, job))
    .sort((a, b) => finishTime(a.record) - finishTime(b.record) || a.sequence - b.sequence)
    .slice(0, limit);
}

/** A parent that goes on may still ask what became of its child. */
function isNeededByParent(table: JobTable, { record: { parentId } }: StoredJob): boolean {
  const parent = parentId === null ? null : table.get(parentId);
  return parent !== null && !isFinished(parent.record.state);
}
