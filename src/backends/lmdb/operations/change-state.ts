import { type JobEvent, nextState } from '../../../core/job.ts';
import type { ChangeResult } from '../../../core/storage.ts';
import { decodeJob, EMPTY, type StoredJob, stateCode } from '../job-codec.ts';
import { finishedKey, jobKey, parseJobId } from '../keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';

/** Cancels jobs that are pending. */
export function cancel(transaction: WriteTransaction, jobIds: readonly string[], now: number): ChangeResult[] {
  return jobIds.map((jobId) =>
    changeOne(transaction, jobId, 'cancel', (job) => {
      job.finishedAt = now;
    }),
  );
}

/** Puts dead jobs back to pending; the numbering of their history goes on. */
export function retry(transaction: WriteTransaction, jobIds: readonly string[], now: number): ChangeResult[] {
  return jobIds.map((jobId) =>
    changeOne(transaction, jobId, 'retry', (job) => {
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
  change: (job: StoredJob) => void,
): ChangeResult {
  const id = parseJobId(jobId);
  const bytes = transaction.tree.get(jobKey(id));
  if (bytes === undefined) return { status: 'not_found' };
  const job = decodeJob(bytes);
  const { state } = job;
  const next = nextState(state, event);
  if (next === null) return { status: 'refused', state };
  transaction.removeFromIndexes(id, job);
  change(job);
  job.state = next;
  transaction.putJob(id, job);
  transaction.addToIndexes(id, job, state);
  return { status: 'changed', state: next };
}
