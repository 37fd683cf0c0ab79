import { decodeJob, EMPTY, type StoredJob } from './job-codec.ts';
import { ID_BYTES, type JobId, jobKey } from './keys.ts';
import type { Tree } from './tree.ts';
import { awaitedKey, waiterIdOf, waiterKey, waiterRange } from './workflow-keys.ts';
import type { WriteTransaction } from './write-transaction.ts';

const PAGE = 1000;

export interface FoundJob {
  readonly id: JobId;
  readonly job: StoredJob;
}

/** Notes what a job that is being suspended waits for. */
export function addWaits(transaction: WriteTransaction, id: JobId, awaited: readonly FoundJob[]): void {
  if (awaited.length === 0) return;
  const { tree } = transaction;
  for (const { id: awaitedId, job } of awaited) {
    tree.put(waiterKey(awaitedId, id), EMPTY);
    // A job cannot finish while it is suspended, so nobody has to look for one that awaits itself.
    if (job.isAwaited || awaitedId.equals(id)) continue;
    job.isAwaited = true;
    transaction.putJob(awaitedId, job);
  }
  tree.put(awaitedKey(id), Buffer.concat(awaited.map((found) => found.id)));
}

/** The jobs that a suspended job waits for. */
export function readAwaitedIds(tree: Tree, id: JobId): JobId[] {
  const bytes = tree.get(awaitedKey(id)) ?? EMPTY;
  return Array.from({ length: bytes.length / ID_BYTES }, (_, i) => bytes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES));
}

/** Takes a job out of its suspension, if it is in one. The caller stores it. */
export function endSuspension({ tree }: WriteTransaction, id: JobId, job: StoredJob): void {
  if (!job.isSuspended) return;
  job.isSuspended = false;
  job.signalsSeen = null;
  const awaitedIds = readAwaitedIds(tree, id);
  if (awaitedIds.length === 0) return;
  for (const awaitedId of awaitedIds) tree.remove(waiterKey(awaitedId, id));
  tree.remove(awaitedKey(id));
}

/** Makes those due that wait for a job, which has finished. */
export function wakeWaiters(transaction: WriteTransaction, awaitedId: JobId, now: number): void {
  const { tree } = transaction;
  for (;;) {
    const page = tree.scan({ ...waiterRange(awaitedId), limit: PAGE });
    for (const { key } of page) {
      const id = waiterIdOf(key);
      tree.remove(key);
      // What else it waits for stays noted until it is claimed: others may end before, and it would be due all the same.
      wake(transaction, id, decodeJob(tree.get(jobKey(id)) as Buffer), now);
    }
    if (page.length < PAGE) return;
  }
}

/** Makes a suspended job due, unless it is already. */
export function wake(transaction: WriteTransaction, id: JobId, job: StoredJob, now: number): void {
  if (job.runAt <= now) return;
  transaction.removeFromIndexes(id, job);
  job.runAt = now;
  transaction.putJob(id, job);
  transaction.addToIndexes(id, job, 'pending');
}
