import { type JobEvent, nextState } from '../../../core/job.ts';
import type { CancelParams, ChangeResult } from '../../../core/storage.ts';
import { decodeJob, EMPTY, type StoredJob, stateCode } from '../job-codec.ts';
import { finishedKey, type JobId, jobKey, parseJobId } from '../keys.ts';
import { endSuspension, wakeWaiters } from '../waits.ts';
import type { WriteTransaction } from '../write-transaction.ts';

/** Cancels jobs that are pending; asks those that are running to stop, if they are included. */
export function cancel(
  transaction: WriteTransaction,
  { jobIds, isRunningIncluded }: Readonly<CancelParams>,
  now: number,
): ChangeResult[] {
  const awaitedIds: JobId[] = [];
  const results = jobIds.map((jobId) => {
    const result = changeOne(transaction, jobId, 'cancel', (id, job) => {
      endSuspension(transaction, id, job);
      job.finishedAt = now;
      if (job.isAwaited) awaitedIds.push(id);
    });
    if (!isRunningIncluded || result.status !== 'refused' || result.state !== 'running') return result;
    return requestCancel(transaction, jobId);
  });
  // After all of them, so that one which waits for another is not woken first.
  for (const id of awaitedIds) wakeWaiters(transaction, id, now);
  return results;
}

/** Puts dead jobs back to pending; the numbering of their history goes on. */
export function retry(transaction: WriteTransaction, jobIds: readonly string[], now: number): ChangeResult[] {
  return jobIds.map((jobId) =>
    changeOne(transaction, jobId, 'retry', (_, job) => {
      transaction.tree.remove(finishedKey(stateCode('dead'), job.nameId, job.createdAt, job.sequence));
      job.attempt = 0;
      job.runAt = now;
      job.startedAt = null;
      job.finishedAt = null;
      job.workerId = EMPTY;
      job.error = EMPTY;
    }),
  );
}

function changeOne(
  transaction: WriteTransaction,
  jobId: string,
  event: JobEvent,
  change: (id: JobId, job: StoredJob) => void,
): ChangeResult {
  const id = parseJobId(jobId);
  const bytes = transaction.tree.get(jobKey(id));
  if (bytes === undefined) return { status: 'not_found' };
  const job = decodeJob(bytes);
  const { state } = job;
  const next = nextState(state, event);
  if (next === null) return { status: 'refused', state };
  transaction.removeFromIndexes(id, job);
  change(id, job);
  job.state = next;
  transaction.putJob(id, job);
  transaction.addToIndexes(id, job, state);
  return { status: 'changed', state: next };
}

function requestCancel(transaction: WriteTransaction, jobId: string): ChangeResult {
  const id = parseJobId(jobId);
  const job = decodeJob(transaction.tree.get(jobKey(id)) as Buffer);
  if (!job.isCancelRequested) {
    job.isCancelRequested = true;
    transaction.putJob(id, job);
    transaction.signalledIds.push(id);
  }
  return { status: 'requested', state: 'running' };
}
