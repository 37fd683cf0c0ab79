import {
  type AttemptRecord,
  isFinished,
  type JobEvent,
  type JobState,
  MAX_ATTEMPT_HISTORY,
  nextState,
  type StoredError,
} from '../../../core/job.ts';
import type { Payload } from '../../../core/payload.ts';
import { encodeAttempt } from '../attempt-codec.ts';
import { asBuffer, MAX_INLINE_BYTES, NO_TOKEN, packError, type StoredJob } from '../job-codec.ts';
import { attemptKey, type JobId, largePayloadKey } from '../keys.ts';
import { wakeWaiters } from '../waits.ts';
import type { WriteTransaction } from '../write-transaction.ts';

export interface AttemptEnding {
  readonly event: JobEvent;
  readonly runAt: number;
  /** What the job shows as its last error; null leaves the one before, except after a success. */
  readonly error: StoredError | null;
  readonly result: Payload | null;
  /** How the attempt goes into the history; null if it does not. */
  readonly outcome: AttemptRecord['outcome'] | null;
}

/** Moves a running job to where its attempt's end takes it. */
export function endAttempt(
  transaction: WriteTransaction,
  id: JobId,
  job: StoredJob,
  ending: AttemptEnding,
  now: number,
): void {
  transaction.removeFromIndexes(id, job);
  if (ending.outcome !== null && ending.error !== null) {
    addToHistory(transaction, id, job, { outcome: ending.outcome, error: ending.error, endedAt: now });
  }
  const { attempt } = job;
  job.state = nextState(job.state, ending.event) as JobState;
  job.runAt = ending.runAt;
  job.leaseExpiresAt = null;
  job.isCancelRequested = false;
  if (ending.event === 'release' || ending.event === 'suspend') job.attempt--;
  if (job.attempt === 0) job.startedAt = null;
  if (job.state !== 'pending') job.finishedAt = now;
  // A lost attempt was not settled by anybody: its worker, should it come back, is told so.
  if (ending.outcome !== 'lost') {
    job.settledAttempt = attempt;
    job.settledToken = job.leaseToken;
  }
  job.leaseToken = NO_TOKEN;
  if (ending.result !== null) putResult(transaction, id, job, ending.result);
  if (ending.error !== null || ending.event === 'succeed') job.error = packError(ending.error);
  transaction.putJob(id, job);
  transaction.addToIndexes(id, job, 'running');
  if (job.isAwaited && isFinished(job.state)) wakeWaiters(transaction, id, now);
}

function putResult(transaction: WriteTransaction, id: JobId, job: StoredJob, result: Payload): void {
  const bytes = asBuffer(result.bytes);
  job.resultEncoding = result.encoding;
  if (bytes.length <= MAX_INLINE_BYTES) job.result = bytes;
  else transaction.tree.put(largePayloadKey(id, 'result'), bytes);
}

function addToHistory(
  transaction: WriteTransaction,
  id: JobId,
  job: StoredJob,
  ended: Pick<AttemptRecord, 'outcome' | 'error' | 'endedAt'>,
): void {
  const record: AttemptRecord = {
    attempt: job.attempt,
    workerId: job.workerId.toString(),
    startedAt: job.startedAt as number,
    ...ended,
  };
  transaction.tree.put(attemptKey(id, job.failures), encodeAttempt(record));
  if (job.failures >= MAX_ATTEMPT_HISTORY) {
    transaction.tree.remove(attemptKey(id, job.failures - MAX_ATTEMPT_HISTORY));
  }
  job.failures++;
}
