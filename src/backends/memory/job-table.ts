import type { JobRecord } from '../../core/job.ts';
import type { NewJob } from '../../core/storage.ts';
import { compareClaimOrder, createStoredJob, type JobOrigin, type StoredJob } from './stored-job.ts';

/** What of a stored job a change may replace. */
export interface JobChange {
  readonly record: Partial<JobRecord>;
  readonly leaseToken?: string | null;
  readonly lastSettled?: StoredJob['lastSettled'];
  readonly attempts?: StoredJob['attempts'];
  readonly steps?: StoredJob['steps'];
  readonly signals?: StoredJob['signals'];
  readonly suspension?: StoredJob['suspension'];
}

/** All jobs, and the indexes over them; every change goes through here, so the indexes cannot fall behind. */
export class JobTable {
  readonly #jobs = new Map<string, StoredJob>();
  readonly #idByKey = new Map<string, string>();
  /** The pending jobs of each name, in claim order. */
  readonly #pending = new Map<string, StoredJob[]>();
  readonly #running = new Map<string, StoredJob>();
  readonly #suspended = new Map<string, StoredJob>();
  #lastSequence = 0;

  get(id: string): StoredJob | null {
    return this.#jobs.get(id) ?? null;
  }

  findIdByKey(name: string, key: string): string | null {
    return this.#idByKey.get(keyOf(name, key)) ?? null;
  }

  all(): StoredJob[] {
    return [...this.#jobs.values()];
  }

  running(): StoredJob[] {
    return [...this.#running.values()];
  }

  suspended(): StoredJob[] {
    return [...this.#suspended.values()];
  }

  /** The best of the due jobs of `name`. */
  firstDue(name: string, now: number): StoredJob | null {
    return this.#pending.get(name)?.find((job) => job.record.runAt <= now) ?? null;
  }

  /** When the next job of `name` is due, or was; null if none is pending. */
  nextRunAt(name: string): number | null {
    const pending = this.#pending.get(name);
    if (pending === undefined) return null;
    return pending.reduce((earliest, job) => Math.min(earliest, job.record.runAt), Number.POSITIVE_INFINITY);
  }

  add(newJob: NewJob, now: number, origin: JobOrigin): void {
    this.#put(createStoredJob(newJob, ++this.#lastSequence, now, origin));
    if (newJob.idempotencyKey !== null) this.#idByKey.set(keyOf(newJob.name, newJob.idempotencyKey), newJob.id);
  }

  update(job: StoredJob, change: JobChange): StoredJob {
    this.#removeFromIndexes(job);
    const changed: StoredJob = { ...job, ...change, record: { ...job.record, ...change.record } };
    this.#put(changed);
    return changed;
  }

  remove(job: StoredJob): void {
    this.#removeFromIndexes(job);
    const { id, name, idempotencyKey } = job.record;
    this.#jobs.delete(id);
    if (idempotencyKey !== null) this.#idByKey.delete(keyOf(name, idempotencyKey));
  }

  #put(job: StoredJob): void {
    const { id, name, state } = job.record;
    this.#jobs.set(id, job);
    if (state === 'running') this.#running.set(id, job);
    if (job.suspension !== null) this.#suspended.set(id, job);
    if (state !== 'pending') return;
    const pending = this.#pending.get(name);
    if (pending === undefined) this.#pending.set(name, [job]);
    else pending.splice(placeOf(pending, job), 0, job);
  }

  #removeFromIndexes(job: StoredJob): void {
    const { id, name } = job.record;
    this.#running.delete(id);
    this.#suspended.delete(id);
    const pending = this.#pending.get(name);
    if (job.record.state !== 'pending' || pending === undefined) return;
    pending.splice(placeOf(pending, job), 1);
    if (pending.length === 0) this.#pending.delete(name);
  }
}

/** A name cannot hold a line break, so the first one ends it and no two pairs meet in one text. */
function keyOf(name: string, key: string): string {
  return `${name}\n${key}`;
}

/** Where `job` stands in `pending`, or would. */
function placeOf(pending: readonly StoredJob[], job: StoredJob): number {
  let low = 0;
  let high = pending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareClaimOrder(pending[middle] as StoredJob, job) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
