import { setImmediate as nextTurn } from 'node:timers/promises';
import { FINISHED_STATES, type JobState, type JobSummary } from '../../../core/job.ts';
import type { ListJobsParams, ListJobsResult } from '../../../core/storage.ts';
import { decodeJob, stateCode } from '../job-codec.ts';
import {
  ALL_LEASES,
  finishedRange,
  formatJobId,
  type JobId,
  jobKey,
  leaseJobId,
  listOrder,
  liveKey,
  liveRange,
  successor,
} from '../keys.ts';
import { type CountedName, type NameIndex, readAllCounts } from '../names.ts';
import type { Tree } from '../tree.ts';
import { toJobSummary } from './get-jobs.ts';
import { idText, type JobCursor, type ListedJob, MergedJobs, SortedJobCursor, StoredJobCursor } from './job-cursor.ts';
import { listChildren } from './list-children.ts';

const LEASE_PAGE = 1000;
const JOBS_PER_TURN = 1000;
const NONE: ReadonlySet<string> = new Set();

/** A page in order of creation costs what it shows; one in order of due time has to look at all that match. */
export async function listJobs(
  tree: Tree,
  names: NameIndex,
  params: Readonly<ListJobsParams>,
): Promise<ListJobsResult> {
  if (params.parentId !== null) return listChildren(tree, names, params.parentId, params);
  const selected = selectNames(tree, params);
  const total = selected.reduce((sum, counted) => sum + countOf(counted, params.states), 0);
  const merged = new MergedJobs(openCursors(tree, selected, params), params.isAscending);
  const ids =
    params.orderBy === 'createdAt' ? pageByCreation(merged, params) : await pageByDueTime(tree, merged, params);
  return { jobs: ids.flatMap((id) => readSummary(tree, names, id, params.states) ?? []), total };
}

/** The names that the filter selects and that have jobs in the states it selects. */
function selectNames(tree: Tree, { names, states }: Readonly<ListJobsParams>): CountedName[] {
  return readAllCounts(tree).filter(
    (counted) => (names === null || names.includes(counted.name)) && countOf(counted, states) > 0,
  );
}

function countOf({ counts }: CountedName, states: readonly JobState[] | null): number {
  const wanted = new Set(states ?? (Object.keys(counts) as JobState[]));
  return [...wanted].reduce((sum, state) => sum + counts[state], 0);
}

/**
 * Every list is in order of creation already: one for each name and final state, one for the jobs of a name that are
 * not finished. Running jobs among those are few (somebody's slots hold them), so they are told by their leases.
 */
function openCursors(
  tree: Tree,
  selected: readonly CountedName[],
  { states, isAscending }: Readonly<ListJobsParams>,
): JobCursor[] {
  const isWanted = (state: JobState): boolean => states === null || states.includes(state);
  const cursors: JobCursor[] = [];
  const running = isWanted('pending') === isWanted('running') ? [] : runningJobs(tree, selected);
  if (isWanted('running') && !isWanted('pending')) cursors.push(new SortedJobCursor(running, isAscending));
  const runningIds = new Set(running.map(({ id }) => idText(id)));
  for (const { nameId, counts } of selected) {
    if (isWanted('pending')) cursors.push(new StoredJobCursor(tree, liveRange(nameId), isAscending, runningIds));
    for (const state of FINISHED_STATES) {
      if (!isWanted(state) || counts[state] === 0) continue;
      cursors.push(new StoredJobCursor(tree, finishedRange(stateCode(state), nameId), isAscending, NONE));
    }
  }
  return cursors;
}

function runningJobs(tree: Tree, selected: readonly CountedName[]): ListedJob[] {
  const nameIds = new Set(selected.map(({ nameId }) => nameId));
  const jobs: ListedJob[] = [];
  let { start } = ALL_LEASES;
  for (;;) {
    const page = tree.scan({ start, end: ALL_LEASES.end, limit: LEASE_PAGE });
    for (const { key } of page) {
      const id = leaseJobId(key);
      const job = decodeJob(tree.get(jobKey(id)) as Buffer);
      if (!nameIds.has(job.nameId)) continue;
      jobs.push({ id, order: listOrder(liveKey(job.nameId, job.createdAt, job.sequence)) });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < LEASE_PAGE) return jobs;
    start = successor(last.key);
  }
}

function pageByCreation(merged: MergedJobs, params: Readonly<ListJobsParams>): JobId[] {
  const ids: JobId[] = [];
  for (let position = 0; ids.length < params.limit; position++) {
    const job = merged.next();
    if (job === null) break;
    if (position >= params.offset) ids.push(job.id);
  }
  return ids;
}

/** Looks at every job that matches, a share a turn, and keeps no more than could be on the page. */
async function pageByDueTime(
  tree: Tree,
  merged: MergedJobs,
  { offset, limit, isAscending }: Readonly<ListJobsParams>,
): Promise<JobId[]> {
  const direction = isAscending ? 1 : -1;
  const keep = offset + limit;
  let best: { id: JobId; order: Buffer; runAt: number }[] = [];
  const trim = (): void => {
    best = best
      .sort((a, b) => direction * (a.runAt - b.runAt || Buffer.compare(a.order, b.order)))
      // A job that ends in the meantime is met in two lists.
      .filter(({ order }, at) => at === 0 || !order.equals((best[at - 1] as ListedJob).order))
      .slice(0, keep);
  };
  for (let seen = 1; ; seen++) {
    const job = merged.next();
    if (job === null) break;
    const stored = tree.get(jobKey(job.id));
    if (stored !== undefined) best.push({ ...job, runAt: decodeJob(stored).runAt });
    if (best.length >= 2 * keep + JOBS_PER_TURN) trim();
    if (seen % JOBS_PER_TURN === 0) await nextTurn();
  }
  trim();
  return best.slice(offset).map(({ id }) => id);
}

/** null for a job that was pruned, or left the states that are asked for, since the page was put together. */
function readSummary(tree: Tree, names: NameIndex, id: JobId, states: readonly JobState[] | null): JobSummary | null {
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return null;
  const job = decodeJob(bytes);
  if (states !== null && !states.includes(job.state)) return null;
  return toJobSummary(formatJobId(id), names.nameOf(tree, job.nameId), job);
}
