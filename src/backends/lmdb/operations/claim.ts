import { ReseolioError } from '../../../core/errors.ts';
import type { ClaimedJob, ClaimParams, ClaimResult } from '../../../core/storage.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { toJobRecord } from '../job-record.ts';
import { formatJobId, type JobId, jobKey, parseUuid } from '../keys.ts';
import type { NameIndex } from '../names.ts';
import type { Tree } from '../tree.ts';
import { endSuspension } from '../waits.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { DueJobs } from './due-jobs.ts';
import { readLargePayloads } from './get-jobs.ts';

/** What {@link ClaimResult.nextDueInMs} would be, from a snapshot: an idle claim then needs no commit at all. */
export function peekNextDue(tree: Tree, names: NameIndex, claimed: readonly string[], now: number): number | null {
  let nextRunAt: number | null = null;
  for (const name of claimed) {
    const nameId = names.find(tree, name);
    if (nameId === undefined) continue;
    const jobs = new DueJobs(tree, nameId, now);
    if (jobs.next(1) !== null) return 0;
    nextRunAt = earlier(nextRunAt, jobs.nextRunAt);
  }
  return nextRunAt === null ? null : nextRunAt - now;
}

export function claim(transaction: WriteTransaction, params: Readonly<ClaimParams>, now: number): ClaimResult {
  const leaseToken = parseUuid(params.leaseToken);
  if (leaseToken === null) throw new ReseolioError('invalid_argument', 'a lease token is a UUID in canonical form');
  const queues: DueJobs[] = [];
  for (const name of new Set(params.names)) {
    const nameId = transaction.findNameId(name);
    if (nameId !== undefined) queues.push(new DueJobs(transaction.tree, nameId, now));
  }
  const ids = dealOut(queues, params.limit);
  const held: HeldUnder = {
    workerId: Buffer.from(params.workerId),
    leaseToken,
    startedAt: now,
    leaseExpiresAt: now + params.leaseMs,
  };
  const jobs = ids.map((id) => claimOne(transaction, id, held));
  return { jobs, nextDueInMs: nextDueInMs(queues, ids.length === params.limit, now) };
}

/** One job a name a turn, until `limit` is reached or nothing is due. */
function dealOut(queues: readonly DueJobs[], limit: number): JobId[] {
  const ids: JobId[] = [];
  let remaining = [...queues];
  while (remaining.length > 0 && ids.length < limit) {
    const pageSize = Math.max(1, Math.ceil((limit - ids.length) / remaining.length));
    const stillDue: DueJobs[] = [];
    for (const queue of remaining) {
      if (ids.length === limit) break;
      const entry = queue.next(pageSize);
      if (entry === null) continue;
      ids.push(entry.value);
      stillDue.push(queue);
    }
    remaining = stillDue;
  }
  return ids;
}

/** When the limit was reached, more may be due and nobody has looked. */
function nextDueInMs(queues: readonly DueJobs[], isLimited: boolean, now: number): number | null {
  let nextRunAt: number | null = null;
  for (const queue of queues) {
    if (isLimited && queue.next(1) !== null) return 0;
    nextRunAt = earlier(nextRunAt, queue.nextRunAt);
  }
  return nextRunAt === null ? null : nextRunAt - now;
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

interface HeldUnder {
  readonly workerId: Buffer;
  readonly leaseToken: Buffer;
  readonly startedAt: number;
  readonly leaseExpiresAt: number;
}

function claimOne(transaction: WriteTransaction, id: JobId, held: HeldUnder): ClaimedJob {
  const job: StoredJob = decodeJob(transaction.tree.get(jobKey(id)) as Buffer);
  const isResumed = job.isSuspended;
  transaction.removeFromIndexes(id, job);
  endSuspension(transaction, id, job);
  job.state = 'running';
  job.attempt++;
  job.startedAt = held.startedAt;
  job.leaseExpiresAt = held.leaseExpiresAt;
  job.leaseToken = held.leaseToken;
  job.workerId = held.workerId;
  transaction.putJob(id, job);
  transaction.addToIndexes(id, job, 'pending');
  const large = readLargePayloads(transaction.tree, id, job);
  return { ...toJobRecord(formatJobId(id), transaction.nameOf(job.nameId), job, large), isResumed };
}
