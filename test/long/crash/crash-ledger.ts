import type { JobRecord } from '../../../src/core/job.ts';
import { decodePayload } from '../../../src/core/payload.ts';
import type { Storage } from '../../../src/core/storage.ts';

interface Settled {
  readonly jobId: string;
  readonly attempt: number;
  readonly kind: string;
  readonly value: string;
}

const PAGE = 1000;

/** What processes said was acknowledged, held against what the storage has. */
export class CrashLedger {
  /** Each with those that were enqueued by the same call. */
  readonly #enqueued = new Map<string, readonly string[]>();
  readonly #successes = new Map<string, Settled>();
  readonly #dead = new Set<string>();
  /** Acknowledged settles that ended an attempt, by attempt. An attempt that was released has the number of the next. */
  readonly #settledAttempts = new Map<string, number>();
  #rejectedCount = 0;
  #longestRejectionMs = 0;

  get enqueuedCount(): number {
    return this.#enqueued.size;
  }

  get successCount(): number {
    return this.#successes.size;
  }

  /** How many calls were rejected, and made again. */
  get rejectedCount(): number {
    return this.#rejectedCount;
  }

  /** How long a call took at most until it was rejected. */
  get longestRejectionMs(): number {
    return this.#longestRejectionMs;
  }

  record(line: string): void {
    const [verb, ...words] = line.split(' ');
    if (verb === 'enqueued') for (const id of words) this.#enqueued.set(id, words);
    if (verb === 'rejected') {
      this.#rejectedCount++;
      this.#longestRejectionMs = Math.max(this.#longestRejectionMs, Number(words[0]));
    }
    if (verb === 'settled') this.#recordSettled(words);
  }

  /** Every way in which the storage breaks what was acknowledged. */
  async violations(storage: Storage): Promise<string[]> {
    const found: string[] = [];
    for (const [key, times] of this.#settledAttempts) {
      if (times > 1) found.push(`attempt ${key} was settled ${times} times`);
    }
    const ids = [...new Set([...this.#enqueued.keys(), ...this.#successes.keys()])];
    for (let i = 0; i < ids.length; i += PAGE) {
      const page = ids.slice(i, i + PAGE);
      const jobs = await storage.getJobs({ jobIds: page });
      for (const [at, job] of jobs.entries()) {
        const id = page[at] as string;
        found.push(...(job === null ? [await this.#describeLost(storage, id)] : this.#violationsOf(id, job)));
      }
    }
    return found;
  }

  /** Jobs that the storage has although nobody was told so. Whoever repeats calls until they are answered leaves none. */
  async unacknowledged(storage: Storage): Promise<string[]> {
    const { jobs } = await storage.listJobs({ ...EVERY_JOB, states: null });
    return jobs.filter(({ id }) => !this.#enqueued.has(id)).map(({ id }) => `job ${id} was not acknowledged`);
  }

  /** Every way in which the storage disagrees with itself once all jobs have ended. */
  static async unfinished(storage: Storage): Promise<string[]> {
    const found: string[] = [];
    let counted = 0;
    for (const { name, pending, running, ...finished } of await storage.counts()) {
      if (pending + running > 0) found.push(`${name} has ${pending} pending and ${running} running jobs`);
      counted += finished.success + finished.dead + finished.cancelled;
    }
    const listed = await storage.listJobs({ ...EVERY_JOB, states: ['success', 'dead', 'cancelled'] });
    const live = await storage.listJobs({ ...EVERY_JOB, states: ['pending', 'running'] });
    if (listed.jobs.length !== counted) found.push(`${counted} jobs are counted and ${listed.jobs.length} listed`);
    if (live.jobs.length > 0) found.push(`${live.jobs.length} jobs are listed as not finished`);
    return found;
  }

  #recordSettled(words: readonly string[]): void {
    const [jobId, attempt, kind, value] = words as [string, string, string, string];
    if (kind === 'release') return;
    const key = `${jobId} ${attempt}`;
    this.#settledAttempts.set(key, (this.#settledAttempts.get(key) ?? 0) + 1);
    if (kind === 'dead') this.#dead.add(jobId);
    if (kind === 'success') this.#successes.set(jobId, { jobId, attempt: Number(attempt), kind, value });
  }

  /** Says enough to tell a commit that is gone from a record that is, and from a read that failed. */
  async #describeLost(storage: Storage, jobId: string): Promise<string> {
    const call = this.#enqueued.get(jobId) ?? [];
    const others = await storage.getJobs({ jobIds: call.filter((id) => id !== jobId) });
    const [again] = await storage.getJobs({ jobIds: [jobId] });
    const kept = others.filter((job) => job !== null).length;
    return (
      `job ${jobId} was acknowledged and is lost; of ${others.length} others of its call ${kept} are there, ` +
      `and it ${again ? 'is there' : 'is not there'} when it is read again`
    );
  }

  #violationsOf(jobId: string, job: JobRecord): string[] {
    if (this.#dead.has(jobId) && job.state !== 'dead') return [`job ${jobId} was settled as dead and is ${job.state}`];
    const success = this.#successes.get(jobId);
    if (success === undefined) return [];
    if (job.state !== 'success') return [`job ${jobId} was settled as a success and is ${job.state}`];
    const result = decodePayload(job.result);
    return result === success.value ? [] : [`job ${jobId} was settled with ${success.value} and has ${String(result)}`];
  }
}

const EVERY_JOB = {
  names: null,
  parentId: null,
  limit: Number.MAX_SAFE_INTEGER,
  offset: 0,
  orderBy: 'createdAt',
  isAscending: true,
} as const;
