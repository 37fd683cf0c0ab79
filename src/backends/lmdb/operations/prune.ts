import { type FinishedState, isFinished, MAX_ATTEMPT_HISTORY } from '../../../core/job.ts';
import type { PruneParams } from '../../../core/storage.ts';
import { decodeJob, type StoredJob, stateCode } from '../job-codec.ts';
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
import { childKey, signalIdRange, signalKey, stepKey } from '../workflow-keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';

const PAGE = 256;
/** How many entries one search looks at in vain before it leaves the rest to the next. */
const MAX_VISITS_IN_VAIN = 4096;
/** Steps and signals with which a commit leaves the rest to the next. */
const ENOUGH_REMEMBERED = 10_000;
/** Where in an entry of the list the parent's id begins. */
const PARENT_AT = ID_BYTES + 8;

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
  const isOld = value.readDoubleBE(ID_BYTES) < walk.finishedBefore;
  if (isOld && !isNeeded(walk.tree, value.subarray(PARENT_AT))) walk.ids.push(value.subarray(0, ID_BYTES));
  else walk.visitsInVain++;
  return successor(key);
}

/** A parent that goes on may still ask what became of its child. `parentId` is empty for a job that has none. */
function isNeeded(tree: Tree, parentId: Buffer): boolean {
  const parent = parentId.length === 0 ? undefined : tree.get(jobKey(parentId));
  return parent !== undefined && !isFinished(decodeJob(parent).state);
}

/**
 * Deletes those of `ids` that may still be: another process may have pruned or retried them, or their parents, meanwhile.
 * Stops early where they remember much.
 */
export function prune(
  transaction: WriteTransaction,
  ids: readonly JobId[],
  state: FinishedState,
): { pruned: number; isStoppedEarly: boolean } {
  let pruned = 0;
  let remembered = 0;
  for (const id of ids) {
    if (remembered >= ENOUGH_REMEMBERED) return { pruned, isStoppedEarly: true };
    const job = findPrunable(transaction.tree, id, state);
    if (job === null) continue;
    deleteJob(transaction, id, job);
    remembered += job.stepCount + job.signalCount;
    pruned++;
  }
  return { pruned, isStoppedEarly: false };
}

function findPrunable(tree: Tree, id: JobId, state: FinishedState): StoredJob | null {
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return null;
  const job = decodeJob(bytes);
  return job.state === state && !isNeeded(tree, job.parentId) ? job : null;
}

function deleteJob(transaction: WriteTransaction, id: JobId, job: StoredJob): void {
  const { tree } = transaction;
  if (job.idempotencyKey.length > 0) tree.remove(idempotencyKey(job.nameId, job.idempotencyKey.toString()));
  if (job.args === null) tree.remove(largePayloadKey(id, 'args'));
  if (job.resultEncoding !== null && job.result === null) tree.remove(largePayloadKey(id, 'result'));
  if (job.failures > 0) {
    for (const attempt of tree.scan({ ...attemptRange(id), limit: MAX_ATTEMPT_HISTORY })) tree.remove(attempt.key);
  }
  for (let number = 0; number < job.stepCount; number++) tree.remove(stepKey(id, number));
  if (job.signalCount > 0) {
    for (const { key } of tree.scan({ ...signalIdRange(id), limit: job.signalCount })) tree.remove(key);
  }
  for (let number = 0; number < job.signalCount; number++) tree.remove(signalKey(id, number));
  if (job.parentId.length > 0) tree.remove(childKey(job.parentId, job.createdAt, job.sequence));
  tree.remove(finishedKey(stateCode(job.state), job.nameId, job.createdAt, job.sequence));
  tree.remove(jobKey(id));
  transaction.count(job.nameId, job.state, -1);
}
