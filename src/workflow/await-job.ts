import { ReseolioError, ResultTimeoutError } from '../core/errors.ts';
import type { FinishedJob } from '../core/job.ts';
import type { Request } from './request.ts';
import type { Workflow } from './workflow.ts';

/** Resolves with how a job ended, null if it is not there; rejects with `result_timeout` after `timeoutMs`. */
export async function awaitJob(
  workflow: Workflow,
  jobId: string,
  timeoutMs: number | null,
): Promise<FinishedJob | null> {
  const request = workflow.ask('result', jobId, (asked, begun) => {
    const wakeAt = timeoutMs === null ? null : workflow.storageNow() + timeoutMs;
    workflow.wait(asked, begun, wakeAt, () => lookAtJob(workflow, asked));
  });
  const { outcome } = await request.answer;
  if (outcome.kind === 'finished') return outcome.job;
  throw new ResultTimeoutError(jobId, timeoutMs ?? 0);
}

/** Looks at the job, the first time for good: it is looked at from then on until the request ends. */
function lookAtJob(workflow: Workflow, request: Request): void {
  const { environment } = workflow;
  const jobId = request.name;
  if (request.stopListening !== null) {
    environment.lookAtJob(jobId);
    return;
  }
  const stopListening = environment.awaitJob(jobId, {
    onFinished: (job) => workflow.end(request, { kind: 'finished', job }),
    onPending: () => workflow.waits.lookedInVain(request),
    onMissing: (error) => {
      const isMissing = error instanceof ReseolioError && error.code === 'job_not_found';
      if (isMissing) workflow.end(request, { kind: 'finished', job: null });
      else request.reject(error);
    },
  });
  if (request.isWaiting) request.stopListening = stopListening;
  else stopListening();
}
