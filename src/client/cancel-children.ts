import { LIMITS } from '../core/options.ts';
import type { Storage } from '../core/storage.ts';

/** Cancels the descendants of a job that are pending, and asks those that are running to stop. */
export async function cancelChildren(storage: Storage, parentId: string): Promise<void> {
  const parents = [parentId];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    const jobIds = await listLiveChildren(storage, parent);
    for (let start = 0; start < jobIds.length; start += LIMITS.listPage) {
      await storage.cancel({ jobIds: jobIds.slice(start, start + LIMITS.listPage), isRunningIncluded: true });
    }
    parents.push(...jobIds);
  }
}

/** All of them before any is changed: pages that shrink would leave some out. */
async function listLiveChildren(storage: Storage, parentId: string): Promise<string[]> {
  const jobIds: string[] = [];
  for (;;) {
    const { jobs } = await storage.listJobs({
      states: ['pending', 'running'],
      names: null,
      parentId,
      limit: LIMITS.listPage,
      offset: jobIds.length,
      orderBy: 'createdAt',
      isAscending: true,
    });
    jobIds.push(...jobs.map(({ id }) => id));
    if (jobs.length < LIMITS.listPage) return jobIds;
  }
}
