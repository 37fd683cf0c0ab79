import { ReseolioError, ResultTimeoutError } from '../core/errors.ts';
import type { FinishedJob } from '../core/job.ts';
import type { Workflow } from './workflow.ts';

/** Resolves with how a job ended, null if it is not there; rejects with `result_timeout` after `timeoutMs`. */
export async function awaitJob(
  workflow: Workflow,
  jobId: string,
  timeoutMs: number | null,
): Promise<FinishedJob | null> {
  const request = workflow.ask('result', jobId, (asked, begun) => {
    if (begun !== null) workflow.wait(asked, begun.wakeAt);
    else if (timeoutMs === null) workflow.wait(asked, null);
    else workflow.waitUntil(asked, workflow.storageNow() + timeoutMs);
    if (!asked.isWaiting) return;
    const stopListening = workflow.environment.awaitJob(
      jobId,
      (job) => workflow.end(asked, { kind: 'finished', job }),
      (error) => {
        if (error instanceof ReseolioError && error.code === 'job_not_found') {
          workflow.end(asked, { kind: 'finished', job: null });
        } else asked.reject(error);
      },
    );
    if (asked.isWaiting) asked.stopListening = stopListening;
    else stopListening();
  });
  const { outcome } = await request.answer;
  if (outcome.kind === 'finished') return outcome.job;
  throw new ResultTimeoutError(jobId, timeoutMs ?? 0);
}
