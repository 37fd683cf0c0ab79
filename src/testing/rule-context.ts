import assert from 'node:assert/strict';
import type { AttemptRecord, FinishedState, JobRecord, JobState, JobSummary, Lease, StoredError } from '../core/job.ts';
import { JobIdGenerator } from '../core/job-id.ts';
import { DEFAULT_JOB_OPTIONS, type JobOptions } from '../core/options.ts';
import { encodePayload, type Payload } from '../core/payload.ts';
import type {
  AttemptOutcome,
  ChangeResult,
  ClaimedJob,
  ClaimParams,
  ListJobsParams,
  NewJob,
  SettleResult,
  Storage,
} from '../core/storage.ts';
import { DrivenRuntime } from './driven-runtime.ts';
import type { OpenTransaction, StorageFixture } from './storage-harness.ts';

/** What a rule says about a job; the rest is filled in. */
export type JobDraft = Partial<Omit<NewJob, 'options'>> & { readonly options?: Partial<JobOptions> };

export interface Claimed {
  readonly job: ClaimedJob;
  readonly lease: Lease;
}

/** What one rule works with: the storage under test, its clock, and short ways to say what most rules say. */
export class RuleContext {
  readonly #fixture: StorageFixture;
  readonly #ids: JobIdGenerator;
  #storage: Storage;

  constructor(fixture: StorageFixture) {
    this.#fixture = fixture;
    this.#storage = fixture.storage;
    this.#ids = new JobIdGenerator(new DrivenRuntime({ startAt: fixture.now() }));
  }

  get storage(): Storage {
    return this.#storage;
  }

  now(): number {
    return this.#fixture.now();
  }

  async advance(ms: number): Promise<void> {
    await this.#fixture.advance(ms);
  }

  async reopen(): Promise<void> {
    assert.ok(this.#fixture.reopen !== null, 'the harness declares isPersistent but gives no reopen');
    this.#storage = await this.#fixture.reopen();
  }

  async openAnother(): Promise<Storage> {
    assert.ok(this.#fixture.openAnother !== null, 'the harness declares isShared but gives no openAnother');
    return this.#fixture.openAnother();
  }

  async begin(): Promise<OpenTransaction> {
    const { beginTransaction } = this.#fixture;
    assert.ok(beginTransaction !== null, 'the harness declares isTransactional but gives no beginTransaction');
    return beginTransaction();
  }

  nextId(): string {
    return this.#ids.next();
  }

  nextToken(): string {
    return this.#ids.next();
  }

  newJob(draft: JobDraft = {}): NewJob {
    return {
      id: this.nextId(),
      name: 'task',
      args: encodePayload([1], 'args'),
      priority: 0,
      idempotencyKey: null,
      delayMs: null,
      runAt: null,
      ...draft,
      options: { ...DEFAULT_JOB_OPTIONS, ...draft.options },
    };
  }

  /** Enqueues jobs in one batch and gives the ids that were answered. */
  async enqueue(...drafts: JobDraft[]): Promise<string[]> {
    const results = await this.storage.enqueue({ jobs: drafts.map((draft) => this.newJob(draft)) });
    assert.equal(results.length, drafts.length, 'enqueue answers each job');
    return results.map(({ jobId }) => jobId);
  }

  async enqueueOne(draft: JobDraft = {}): Promise<string> {
    const [id] = await this.enqueue(draft);
    return id as string;
  }

  claimParams(params: Partial<ClaimParams> = {}): ClaimParams {
    return {
      workerId: 'worker-1',
      leaseToken: this.nextToken(),
      names: ['task'],
      limit: 100,
      leaseMs: 15_000,
      ...params,
    };
  }

  /** Claims, and gives each job with the lease it is held under. */
  async claim(params: Partial<ClaimParams> = {}): Promise<Claimed[]> {
    const full = this.claimParams(params);
    const { jobs } = await this.storage.claim(full);
    return jobs.map((job) => ({ job, lease: { jobId: job.id, attempt: job.attempt, token: full.leaseToken } }));
  }

  async claimIds(params: Partial<ClaimParams> = {}): Promise<string[]> {
    return (await this.claim(params)).map(({ job }) => job.id);
  }

  /** Claims one job; fails unless there is one. */
  async claimOne(params: Partial<ClaimParams> = {}): Promise<Claimed> {
    const [claimed] = await this.claim({ limit: 1, ...params });
    assert.ok(claimed !== undefined, 'a job should be due');
    return claimed;
  }

  async settle(lease: Lease, outcome: AttemptOutcome): Promise<SettleResult> {
    const [result] = await this.storage.settle({ settlements: [{ lease, outcome }] });
    assert.ok(result !== undefined, 'settle answers each settlement');
    return result;
  }

  /** Enqueues a job and brings it to `state`. */
  async enqueueIn(state: JobState, draft: JobDraft = {}): Promise<string> {
    const id = await this.enqueueOne(draft);
    if (state === 'pending') return id;
    if (state === 'cancelled') {
      await this.cancel(id);
      return id;
    }
    // Alone on its name for the claim: rules that use this keep no other due job of the name.
    const { job, lease } = await this.claimOne({ names: [draft.name ?? 'task'] });
    assert.equal(job.id, id);
    if (state === 'success') await this.settle(lease, succeeded({ done: true }));
    if (state === 'dead') await this.settle(lease, died());
    return id;
  }

  async cancel(jobId: string): Promise<ChangeResult> {
    const [result] = await this.storage.cancel({ jobIds: [jobId], isRunningIncluded: false });
    assert.ok(result !== undefined, 'cancel answers each id');
    return result;
  }

  async retry(jobId: string): Promise<ChangeResult> {
    const [result] = await this.storage.retry({ jobIds: [jobId] });
    assert.ok(result !== undefined, 'retry answers each id');
    return result;
  }

  /** Prunes all jobs that finished in `state` before now, `limit` a call, and counts them. */
  async pruneAll(state: FinishedState, limit: number): Promise<number> {
    let total = 0;
    for (;;) {
      const { pruned, hasMore } = await this.storage.prune({ state, olderThanMs: 0, limit });
      assert.ok(pruned <= limit, 'prune keeps to its limit');
      assert.ok(pruned > 0 || !hasMore, 'prune makes headway while there is more');
      total += pruned;
      if (!hasMore) return total;
    }
  }

  /** The job, which must be there, with its payloads in a form that compares. */
  async job(jobId: string): Promise<ComparableJob> {
    const [job] = await this.storage.getJobs({ jobIds: [jobId] });
    assert.ok(job !== null && job !== undefined, `job ${jobId} should be stored`);
    return comparableJob(job);
  }

  async attempts(jobId: string): Promise<AttemptRecord[]> {
    return this.storage.getAttempts({ jobId });
  }

  async list(params: Partial<ListJobsParams> = {}): Promise<{ ids: string[]; jobs: JobSummary[]; total: number }> {
    const { jobs, total } = await this.storage.listJobs({
      states: null,
      names: null,
      parentId: null,
      limit: 1000,
      offset: 0,
      orderBy: 'createdAt',
      isAscending: true,
      ...params,
    });
    return { ids: jobs.map(({ id }) => id), jobs, total };
  }

  /** Checks that `change` leaves the job and its history as they are. */
  async assertUnchanged<T>(jobId: string, change: () => Promise<T>): Promise<T> {
    const before = [await this.job(jobId), await this.attempts(jobId)];
    const answer = await change();
    assert.deepEqual([await this.job(jobId), await this.attempts(jobId)], before, 'nothing may change');
    return answer;
  }
}

export type ComparablePayload = Readonly<{ encoding: string; hex: string }>;
export type ComparableJob = JobSummary & Readonly<{ args: ComparablePayload; result: ComparablePayload | null }>;

/** Storages may give bytes as Buffer or Uint8Array; for comparison they are text. */
export function comparableJob(job: JobRecord): ComparableJob {
  return {
    ...job,
    args: comparablePayload(job.args),
    result: job.result === null ? null : comparablePayload(job.result),
  };
}

export function comparablePayload({ encoding, bytes }: Payload): ComparablePayload {
  return { encoding, hex: Buffer.from(bytes).toString('hex') };
}

export function errorOf(message: string): StoredError {
  return { name: 'TestError', message, stack: `TestError: ${message}\n    at handler` };
}

export function succeeded(value: unknown): AttemptOutcome {
  return { kind: 'success', result: value === undefined ? null : encodePayload(value, 'result') };
}

export function failed(delayMs = 0, message = 'it failed'): AttemptOutcome {
  return { kind: 'retry', error: errorOf(message), delayMs };
}

export function died(message = 'it failed for good'): AttemptOutcome {
  return { kind: 'dead', error: errorOf(message) };
}

/** What a job says that nobody has run, called from a handler, or sent signals. */
export const UNTOUCHED = {
  parentId: null,
  stepCount: 0,
  signalCount: 0,
  isSuspended: false,
  isCancelRequested: false,
} as const;

export const RELEASED: AttemptOutcome = { kind: 'release' };
export const LEASE_LOST: SettleResult = { status: 'lease_lost' };
