import type { JobOverview, ListJobsQuery, Reseolio } from '../src/index.ts';

type JobList = Pick<Reseolio, 'listJobs'>;

/** How many jobs of `functionName` took more than one attempt. */
export async function countRerun(reseolio: JobList, functionName: string): Promise<number> {
  return countJobs(reseolio, { names: [functionName] }, (job) => job.attempt > 1);
}

/** How many jobs of `functionName` are in the hands of the worker `workerId`, which may be dead. */
export async function countHeld(reseolio: JobList, functionName: string, workerId: string): Promise<number> {
  return countJobs(reseolio, { names: [functionName], statuses: ['running'] }, (job) => job.workerId === workerId);
}

const PAGE = 1000;

async function countJobs(
  reseolio: JobList,
  query: ListJobsQuery,
  isCounted: (job: JobOverview) => boolean,
): Promise<number> {
  let count = 0;
  for (let offset = 0; ; offset += PAGE) {
    const { jobs } = await reseolio.listJobs({ ...query, limit: PAGE, offset });
    count += jobs.filter(isCounted).length;
    if (jobs.length < PAGE) return count;
  }
}
