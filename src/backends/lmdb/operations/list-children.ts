import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobSummary } from '../../../core/job.ts';
import type { ListJobsParams, ListJobsResult } from '../../../core/storage.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { formatJobId, type JobId, jobKey, listOrder, parseJobId, successor } from '../keys.ts';
import type { NameIndex } from '../names.ts';
import type { Tree } from '../tree.ts';
import { childRange } from '../workflow-keys.ts';
import { toJobSummary } from './get-jobs.ts';

const CHILDREN_PER_TURN = 1000;

interface ListedChild {
  readonly id: JobId;
  readonly time: number;
  readonly order: Buffer;
}

/** Looks at all children of the job, a share a turn, for they are in order of creation and no more is known of them. */
export async function listChildren(
  tree: Tree,
  names: NameIndex,
  parentId: string,
  params: Readonly<ListJobsParams>,
): Promise<ListJobsResult> {
  const direction = params.isAscending ? 1 : -1;
  const matching = await findChildren(tree, names, parseJobId(parentId), params);
  matching.sort((a, b) => direction * (a.time - b.time || Buffer.compare(a.order, b.order)));
  const page = matching.slice(params.offset, params.offset + params.limit);
  return { jobs: page.flatMap(({ id }) => readMatching(tree, names, id, params) ?? []), total: matching.length };
}

async function findChildren(
  tree: Tree,
  names: NameIndex,
  parentId: JobId,
  params: Readonly<ListJobsParams>,
): Promise<ListedChild[]> {
  const matching: ListedChild[] = [];
  let { start, end } = childRange(parentId);
  for (;;) {
    const page = tree.scan({ start, end, limit: CHILDREN_PER_TURN });
    for (const { key, value: id } of page) {
      const job = findMatching(tree, names, id, params);
      if (job === null) continue;
      const time = params.orderBy === 'createdAt' ? job.createdAt : job.runAt;
      matching.push({ id, time, order: listOrder(key) });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < CHILDREN_PER_TURN) return matching;
    start = successor(last.key);
    await nextTurn();
  }
}

/** null for a job that is not what is asked for, or is not there any more. */
function findMatching(
  tree: Tree,
  names: NameIndex,
  id: JobId,
  { states, names: wantedNames }: Readonly<ListJobsParams>,
): StoredJob | null {
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return null;
  const job = decodeJob(bytes);
  if (states !== null && !states.includes(job.state)) return null;
  return wantedNames === null || wantedNames.includes(names.nameOf(tree, job.nameId)) ? job : null;
}

function readMatching(tree: Tree, names: NameIndex, id: JobId, params: Readonly<ListJobsParams>): JobSummary | null {
  const job = findMatching(tree, names, id, params);
  return job === null ? null : toJobSummary(formatJobId(id), names.nameOf(tree, job.nameId), job);
}
