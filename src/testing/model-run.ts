import assert from 'node:assert/strict';
import { MemoryStorage } from '../backends/memory/memory-storage.ts';
import type { Lease } from '../core/job.ts';
import type { AttemptOutcome, ClaimResult, NewJob, PruneParams, Settlement, Storage } from '../core/storage.ts';
import { DrivenRuntime } from './driven-runtime.ts';
import type { LeaseSpec, ModelOperation, SettlementSpec } from './model-operation.ts';
import { comparableJob, errorOf, RuleContext, succeeded } from './rule-context.ts';
import type { StorageFixture } from './storage-harness.ts';

/** Calls after which a loop that should come to its end is taken for endless. */
const MAX_ROUNDS = 10_000;
const LIST_PAGE = 50;

/** Does the same to a storage and to the reference model, and compares every answer. */
export class ModelRun {
  readonly #fixture: StorageFixture;
  readonly #runtime: DrivenRuntime;
  readonly #model: Storage;
  /** The storage under test, or several on the same jobs, which take turns. */
  #subjects: readonly Storage[];
  #turn = 0;
  /** Makes the jobs and tokens that both storages are given. */
  readonly #context: RuleContext;
  readonly #jobs: NewJob[] = [];
  readonly #leases: Lease[] = [];

  private constructor(fixture: StorageFixture, subjects: readonly Storage[]) {
    this.#fixture = fixture;
    this.#subjects = subjects;
    this.#runtime = new DrivenRuntime({ startAt: fixture.now() });
    this.#model = new MemoryStorage({ runtime: this.#runtime });
    this.#context = new RuleContext(fixture);
  }

  static async start(fixture: StorageFixture): Promise<ModelRun> {
    return new ModelRun(fixture, await withAnother(fixture, fixture.storage));
  }

  async apply(operation: ModelOperation): Promise<void> {
    switch (operation.kind) {
      case 'enqueue':
        return this.#enqueue(operation.jobs.map((spec) => this.#newJob(spec)));
      case 'enqueueAgain': {
        const job = fromNewest(this.#jobs, operation.job);
        return job === null ? undefined : this.#enqueue([job]);
      }
      case 'claim':
        return this.#claim(operation);
      case 'extend': {
        const { leaseMs } = operation;
        const leases = operation.leases.map((spec) => this.#lease(spec)).filter((lease) => lease !== null);
        return this.#compare((storage) => storage.extendLeases({ leases, leaseMs }));
      }
      case 'settle':
        return this.#settle(operation.settlements);
      case 'reclaim':
        return this.#compare((storage) => reclaimAll(storage, operation.limit));
      case 'cancel':
        return this.#compare((storage) => storage.cancel({ jobIds: this.#jobIds(operation.jobs) }));
      case 'retry':
        return this.#compare((storage) => storage.retry({ jobIds: this.#jobIds(operation.jobs) }));
      case 'read':
        return this.#compare((storage) => readJobs(storage, this.#jobIds(operation.jobs)));
      case 'prune':
        return this.#compare((storage) => pruneAll(storage, operation));
      case 'list':
        return this.#compare((storage) => storage.listJobs(operation));
      case 'counts':
        return this.#compare((storage) => storage.counts());
      case 'advance':
        return this.#advance(operation.ms);
      case 'reopen':
        return this.#reopen();
    }
  }

  /** Compares all that both storages hold. */
  async compareEverything(): Promise<void> {
    const jobIds = this.#jobs.map(({ id }) => id);
    await this.#compare((storage) => readJobs(storage, jobIds));
    await this.#compare((storage) => storage.counts());
    for (const orderBy of ['createdAt', 'scheduledAt'] as const) {
      for (const isAscending of [true, false]) {
        await this.#compare((storage) => listAll(storage, orderBy, isAscending));
      }
    }
  }

  async #enqueue(jobs: readonly NewJob[]): Promise<void> {
    await this.#compare((storage) => storage.enqueue({ jobs }));
    for (const job of jobs) if (!this.#jobs.some(({ id }) => id === job.id)) this.#jobs.push(job);
  }

  async #claim({ names, limit, leaseMs }: Extract<ModelOperation, { kind: 'claim' }>): Promise<void> {
    const params = this.#context.claimParams({ names, limit, leaseMs, workerId: `worker-${limit}` });
    const expected = await this.#model.claim(params);
    const actual = await this.#subject().claim(params);
    assert.deepEqual(actual.jobs.map(comparableJob), expected.jobs.map(comparableJob));
    assertNextDue(actual, expected, limit);
    for (const { id, attempt } of expected.jobs) {
      this.#leases.push({ jobId: id, attempt, token: params.leaseToken });
    }
  }

  async #settle(specs: readonly SettlementSpec[]): Promise<void> {
    const settlements = specs.flatMap((spec): Settlement[] => {
      const lease = this.#lease(spec);
      return lease === null ? [] : [{ lease, outcome: outcomeOf(spec, lease) }];
    });
    await this.#compare((storage) => storage.settle({ settlements }));
  }

  async #advance(ms: number): Promise<void> {
    await this.#runtime.advance(ms);
    await this.#fixture.advance(ms);
    assert.equal(
      this.#fixture.now(),
      this.#runtime.now(),
      'the clock moves by what it is advanced, and by nothing else',
    );
  }

  async #reopen(): Promise<void> {
    if (this.#fixture.reopen === null) return;
    this.#subjects = await withAnother(this.#fixture, await this.#fixture.reopen());
  }

  async #compare<T>(call: (storage: Storage) => Promise<T>): Promise<void> {
    const expected = await call(this.#model);
    assert.deepEqual(await call(this.#subject()), expected);
  }

  #subject(): Storage {
    return this.#subjects[this.#turn++ % this.#subjects.length] as Storage;
  }

  #newJob(spec: Extract<ModelOperation, { kind: 'enqueue' }>['jobs'][number]): NewJob {
    return this.#context.newJob({
      name: spec.name,
      priority: spec.priority,
      idempotencyKey: spec.key,
      delayMs: spec.delayMs,
      runAt: spec.runAtOffsetMs === null ? null : this.#runtime.now() + spec.runAtOffsetMs,
      options: { maxAttempts: spec.maxAttempts },
    });
  }

  #lease({ lease: place, isForged }: LeaseSpec): Lease | null {
    const lease = fromNewest(this.#leases, place);
    return lease !== null && isForged ? { ...lease, token: `${lease.token}-forged` } : lease;
  }

  /** Jobs that were enqueued, stored or not: those that lost to an idempotency key are not there. */
  #jobIds(places: readonly number[]): string[] {
    return places.map((place) => fromNewest(this.#jobs, place)?.id).filter((id) => id !== undefined);
  }
}

function outcomeOf({ outcome: kind, delayMs }: SettlementSpec, { attempt, token }: Lease): AttemptOutcome {
  const error = errorOf(`attempt ${attempt} under ${token}`);
  switch (kind) {
    case 'success':
      return succeeded(delayMs === 0 ? undefined : `result of ${token}`);
    case 'retry':
      return { kind, error, delayMs };
    case 'dead':
      return { kind, error };
    case 'release':
      return { kind };
  }
}

async function withAnother(fixture: StorageFixture, storage: Storage): Promise<Storage[]> {
  return fixture.openAnother === null ? [storage] : [storage, await fixture.openAnother()];
}

function fromNewest<T>(items: readonly T[], place: number): T | null {
  return items.length === 0 ? null : (items[items.length - 1 - (place % items.length)] as T);
}

/** A claim that was stopped by its limit may leave open whether more is due. */
function assertNextDue(actual: ClaimResult, expected: ClaimResult, limit: number): void {
  if (actual.jobs.length === limit && expected.nextDueInMs !== null && actual.nextDueInMs === 0) return;
  assert.equal(actual.nextDueInMs, expected.nextDueInMs, 'nextDueInMs');
}

/** Which of several leases that expired at once goes first is left open, so they are compared all together. */
async function reclaimAll(storage: Storage, limit: number): Promise<unknown> {
  const reclaimed: string[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { jobs, nextExpiryInMs } = await storage.reclaimExpired({ limit });
    assert.ok(jobs.length <= limit, 'reclaim keeps to its limit');
    reclaimed.push(...jobs.map((job) => JSON.stringify([job.jobId, job.name, job.attempt, job.state])));
    if (nextExpiryInMs !== 0) return { reclaimed: reclaimed.sort(), nextExpiryInMs };
  }
  throw new Error(`reclaimExpired still has more after ${MAX_ROUNDS} calls`);
}

/** Which jobs go first is left open, so all go. */
async function pruneAll(storage: Storage, { state, olderThanMs, limit }: PruneParams): Promise<number> {
  let total = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { pruned, hasMore } = await storage.prune({ state, olderThanMs, limit });
    assert.ok(pruned <= limit, 'prune keeps to its limit');
    total += pruned;
    if (!hasMore) return total;
  }
  throw new Error(`prune still has more after ${MAX_ROUNDS} calls`);
}

async function readJobs(storage: Storage, jobIds: readonly string[]): Promise<unknown> {
  const jobs = await storage.getJobs({ jobIds });
  const attempts = await Promise.all(jobIds.map((jobId) => storage.getAttempts({ jobId })));
  return jobs.map((job, i) => [job === null ? null : comparableJob(job), attempts[i]]);
}

async function listAll(storage: Storage, orderBy: 'createdAt' | 'scheduledAt', isAscending: boolean): Promise<unknown> {
  const pages: unknown[] = [];
  for (let offset = 0; ; offset += LIST_PAGE) {
    const page = await storage.listJobs({ states: null, names: null, limit: LIST_PAGE, offset, orderBy, isAscending });
    pages.push(page);
    if (page.jobs.length < LIST_PAGE) return pages;
  }
}
