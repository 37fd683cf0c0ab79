import type { EnqueueResult, NewJob } from '../core/storage.ts';
import type { Workflow } from './workflow.ts';

/** Calls jobs as children of the one that runs, or finds those that an earlier run called in their place. */
export async function callJobs(workflow: Workflow, jobs: readonly NewJob[]): Promise<EnqueueResult[]> {
  const requests = jobs.map((job) =>
    workflow.ask('call', job.name, (request) => {
      workflow.environment.expectJob(job.id);
      workflow.end(request, { kind: 'called', id: job.id, isKeyed: job.idempotencyKey !== null }, job);
    }),
  );
  const answers = await Promise.all(requests.map(({ answer }) => answer));
  return answers.map(({ outcome, jobId }) => ({
    jobId: jobId as string,
    deduplicated: outcome.kind === 'called' && outcome.id !== jobId,
  }));
}
