import { isFinished, waitCycleError } from '../../../core/job.ts';
import { NEVER_DUE } from '../../../core/options.ts';
import type { Suspension } from '../../../core/storage.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { formatJobId, type JobId, jobKey, parseJobId } from '../keys.ts';
import type { Tree } from '../tree.ts';
import { addWaits, type FoundJob, readAwaitedIds } from '../waits.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import type { AttemptEnding } from './end-attempt.ts';
import { idText } from './job-cursor.ts';

/** Suspends a running job, and says how its attempt ends by that: it may be due at once, or dead. */
export function suspend(
  transaction: WriteTransaction,
  id: JobId,
  job: StoredJob,
  { wakeAt, awaits, signalsSeen }: Suspension,
  now: number,
): AttemptEnding {
  const { tree } = transaction;
  const awaited = findAwaited(tree, awaits);
  const isThere = awaited === null || (signalsSeen !== null && job.signalCount > signalsSeen);
  if (!isThere && wakeAt === null && signalsSeen === null && wouldWaitForItself(tree, id, awaited)) {
    const error = waitCycleError(formatJobId(id));
    return { event: 'die', runAt: job.runAt, error, result: null, outcome: 'failed' };
  }
  job.isSuspended = true;
  job.signalsSeen = signalsSeen;
  if (!isThere) addWaits(transaction, id, awaited);
  const runAt = isThere ? now : (wakeAt ?? NEVER_DUE);
  return { event: 'suspend', runAt, error: null, result: null, outcome: null };
}

/** The jobs of these ids, each once; null if one of them has finished or is not there. */
function findAwaited(tree: Tree, awaits: readonly string[]): FoundJob[] | null {
  const found: FoundJob[] = [];
  for (const jobId of new Set(awaits)) {
    const awaited = findJob(tree, parseJobId(jobId));
    if (awaited === null || isFinished(awaited.job.state)) return null;
    found.push(awaited);
  }
  return found;
}

/**
 * Whether the job `id` can never go on that waits for nothing but `awaited`: whatever it comes to from there waits for nothing
 * but jobs as well, itself among them.
 */
function wouldWaitForItself(tree: Tree, id: JobId, awaited: readonly FoundJob[]): boolean {
  const seen = new Set(awaited.map((found) => idText(found.id)));
  const unseen = [...awaited];
  for (let found = unseen.pop(); found !== undefined; found = unseen.pop()) {
    if (found.id.equals(id)) continue;
    if (!waitsForJobsOnly(found)) return false;
    for (const nextId of readAwaitedIds(tree, found.id)) {
      if (seen.has(idText(nextId))) continue;
      seen.add(idText(nextId));
      const next = findJob(tree, nextId);
      if (next === null) return false;
      unseen.push(next);
    }
  }
  return seen.has(idText(id));
}

function waitsForJobsOnly({ job }: FoundJob): boolean {
  return job.isSuspended && job.runAt === NEVER_DUE && job.signalsSeen === null;
}

function findJob(tree: Tree, id: JobId): FoundJob | null {
  const bytes = tree.get(jobKey(id));
  return bytes === undefined ? null : { id, job: decodeJob(bytes) };
}
