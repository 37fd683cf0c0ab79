import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { ResultWaiter } from '../client/result-waiter.ts';
import { isJobId } from '../core/job-id.ts';
import { StatusError, toServiceError } from './service-errors.ts';
import type { JobCompletion, SubscribeRequest } from './wire-messages.ts';
import { writeCompletion } from './wire-records.ts';

export type SubscribeStream = ServerDuplexStream<SubscribeRequest, JobCompletion>;

/** Jobs that one stream can wait for at once. */
const MAX_JOBS = 100_000;

/** Serves a SubscribeToJobs stream: tells once of each job when it has ended. */
export function serveSubscriptions(stream: SubscribeStream, waiter: ResultWaiter): void {
  const cancels = new Map<string, () => void>();

  function end(error: unknown): void {
    for (const cancel of cancels.values()) cancel();
    cancels.clear();
    if (error !== null) stream.emit('error', toServiceError(error));
  }

  function subscribe(jobId: string): void {
    if (cancels.has(jobId)) return;
    const cancel = waiter.subscribe(
      jobId,
      (job) => {
        cancels.delete(jobId);
        stream.write(writeCompletion(jobId, job));
      },
      // One that is not there, or was pruned, will never end.
      () => cancels.delete(jobId),
    );
    cancels.set(jobId, cancel);
  }

  stream.on('data', ({ jobIds, unsubscribe }) => {
    for (const jobId of jobIds) {
      if (unsubscribe) {
        cancels.get(jobId)?.();
        cancels.delete(jobId);
      } else if (isJobId(jobId)) {
        subscribe(jobId);
      }
    }
    if (cancels.size > MAX_JOBS) {
      end(new StatusError(status.RESOURCE_EXHAUSTED, `one stream takes ${MAX_JOBS} jobs at once`));
    }
  });
  stream.on('end', () => {
    end(null);
    stream.end();
  });
  for (const event of ['cancelled', 'error', 'close']) stream.on(event, () => end(null));
}
