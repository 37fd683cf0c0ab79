import { type JobEvent, nextState } from '../../../core/job.ts';
import type { CancelParams, ChangeResult } from '../../../core/storage.ts';
import { decodeJob, EMPTY, type StoredJob, stateCode } from '../job-codec.ts';
import { finishedKey, type JobId, jobKey, parseJobId } from '../keys.ts';
import { endSuspension, storeChangedJob } from '../waits.ts';
import type { WriteTransaction } from '../write-transaction.ts';

/** Cancels jobs that are pending; asks those that are running to stop, if they are included. */
export function cancel(
  transaction: WriteTransaction,
  { jobIds, isRunningIncluded }: Readonly<CancelParams>,
  now: number,
): ChangeResult[] {
  return jobIds.map((jobId) => {
    const result = changeOne(transaction, jobId, 'cancel', now, (id, job) => {
      endSuspension(transaction, id, job);
      job.finishedAt = now;
    });
    if (!isRunningIncluded || result.status !== 'refused' || result.state !== 'running') return result;
    return requestCancel(transaction, jobId);
  });
}

/** Puts dead jobs back to pending; the numbering of their history goes on. */
export function retry(transaction: WriteTransaction, jobIds: readonly string[], now: number): ChangeResult[] {
  return jobIds.map((jobId) =>
    changeOne(transaction, jobId, 'retry', now, (_, job) => {
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
  now: number,
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
  storeChangedJob(transaction, id, job, state, now);
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
