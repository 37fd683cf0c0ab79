import { type FinishedState, MAX_ATTEMPT_HISTORY } from '../../../core/job.ts';
import type { PruneParams } from '../../../core/storage.ts';
import { decodeJob, stateCode } from '../job-codec.ts';
import {
  attemptRange,
  finishedCreatedAt,
  finishedKey,
  finishedNameId,
  finishedRange,
  finishedStateRange,
  ID_BYTES,
  idempotencyKey,
  type JobId,
  jobKey,
  largePayloadKey,
  successor,
} from '../keys.ts';
import type { Entry, Tree } from '../tree.ts';
import type { WriteTransaction } from '../write-transaction.ts';

const PAGE = 256;
/** How many entries one search looks at in vain before it leaves the rest to the next. */
const MAX_VISITS_IN_VAIN = 4096;

/**
 * Looks for finished jobs that are old enough. They are listed by creation, so of those created before the cut-off
 * some may have finished after it. A search that has seen enough of these goes on, with the next call, where it was.
 */
export class PruneSearch {
  readonly #resumeAt = new Map<FinishedState, Buffer>();

  /** Ids of up to `limit` jobs, from a snapshot. */
  find(tree: Tree, { state, olderThanMs, limit }: Readonly<PruneParams>, now: number): JobId[] {
    const code = stateCode(state);
    const whole = finishedStateRange(code);
    const resumeAt = this.#resumeAt.get(state) ?? whole.start;
    const walk: Walk = { tree, code, finishedBefore: now - olderThanMs, limit, visitsInVain: 0, ids: [] };
    let stoppedAt = walkRange(walk, resumeAt, whole.end);
    if (stoppedAt === null && resumeAt !== whole.start) stoppedAt = walkRange(walk, whole.start, resumeAt);
    if (stoppedAt === null) this.#resumeAt.delete(state);
    else this.#resumeAt.set(state, stoppedAt);
    return walk.ids;
  }
}

interface Walk {
  readonly tree: Tree;
  readonly code: number;
  readonly finishedBefore: number;
  readonly limit: number;
  readonly ids: JobId[];
  visitsInVain: number;
}

/** Returns where it stopped because it had found or seen enough, null if it came to the end. */
function walkRange(walk: Walk, from: Buffer, end: Buffer): Buffer | null {
  let start = from;
  while (Buffer.compare(start, end) < 0) {
    const page = walk.tree.scan({ start, end, limit: PAGE });
    if (page.length === 0) return null;
    for (const entry of page) {
      start = visit(walk, entry);
      if (walk.ids.length >= walk.limit || walk.visitsInVain >= MAX_VISITS_IN_VAIN) return start;
      if (finishedCreatedAt(entry.key) >= walk.finishedBefore) break;
    }
  }
  return null;
}

/** Returns where to go on: behind the entry, or at the next name when this one has nothing older. */
function visit(walk: Walk, { key, value }: Entry): Buffer {
  if (finishedCreatedAt(key) >= walk.finishedBefore) {
    return finishedRange(walk.code, finishedNameId(key) + 1).start;
  }
  if (value.readDoubleBE(ID_BYTES) < walk.finishedBefore) walk.ids.push(value.subarray(0, ID_BYTES));
  else walk.visitsInVain++;
  return successor(key);
}

/** Deletes those of `ids` that are still in `state`: another process may have pruned or retried them meanwhile. */
export function prune(transaction: WriteTransaction, ids: readonly JobId[], state: FinishedState): number {
  return ids.filter((id) => deleteOne(transaction, id, state)).length;
}

function deleteOne(transaction: WriteTransaction, id: JobId, state: FinishedState): boolean {
  const { tree } = transaction;
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return false;
  const job = decodeJob(bytes);
  if (job.state !== state) return false;
  if (job.idempotencyKey.length > 0) tree.remove(idempotencyKey(job.nameId, job.idempotencyKey.toString()));
  if (job.args === null) tree.remove(largePayloadKey(id, 'args'));
  if (job.resultEncoding !== null && job.result === null) tree.remove(largePayloadKey(id, 'result'));
  if (job.failures > 0) {
    for (const attempt of tree.scan({ ...attemptRange(id), limit: MAX_ATTEMPT_HISTORY })) tree.remove(attempt.key);
  }
  tree.remove(finishedKey(stateCode(state), job.nameId, job.createdAt, job.sequence));
  tree.remove(jobKey(id));
  transaction.count(job.nameId, state, -1);
  return true;
}
