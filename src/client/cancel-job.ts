import type { JobSummary } from '../core/job.ts';
import { LIMITS } from '../core/options.ts';
import type { ChangeResult, Storage } from '../core/storage.ts';

/** Cancels a job, or asks it to stop if that `isRunningIncluded`, and then its descendants, running ones included. */
export async function cancelJob(storage: Storage, jobId: string, isRunningIncluded: boolean): Promise<ChangeResult> {
  const [result = { status: 'not_found' } as const] = await storage.cancel({ jobIds: [jobId], isRunningIncluded });
  const isStopped = result.status === 'changed' || result.status === 'requested';
  // Again for one that is cancelled already: whoever cancelled it may have died before its children were.
  if (isStopped || (result.status === 'refused' && result.state === 'cancelled'))
    await cancelDescendants(storage, jobId);
  return result;
}

/** Cancels the descendants of a job that are pending, and asks those that are running to stop. */
export async function cancelDescendants(storage: Storage, parentId: string): Promise<void> {
  const parents = [parentId];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    const children = await listChildren(storage, parent);
    const jobIds = children.filter(({ state }) => state !== 'cancelled').map(({ id }) => id);
    for (let start = 0; start < jobIds.length; start += LIMITS.listPage) {
      await storage.cancel({ jobIds: jobIds.slice(start, start + LIMITS.listPage), isRunningIncluded: true });
    }
    for (const { id } of children) parents.push(id);
  }
}

/**
 * Those that have not ended by themselves. Cancelled ones too: whoever cancelled them may have died before their children
 * were. All are read, since the pages of a list by state shift while workers go on.
 */
async function listChildren(storage: Storage, parentId: string): Promise<JobSummary[]> {
  const children: JobSummary[] = [];
  for (let offset = 0; ; offset += LIMITS.listPage) {
    const { jobs } = await storage.listJobs({
      states: null,
      names: null,
      parentId,
      limit: LIMITS.listPage,
      offset,
      orderBy: 'createdAt',
      isAscending: true,
    });
    children.push(...jobs.filter(({ state }) => state !== 'success' && state !== 'dead'));
    if (jobs.length < LIMITS.listPage) return children;
  }
}
