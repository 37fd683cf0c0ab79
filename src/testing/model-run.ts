import assert from 'node:assert/strict';
import type { Lease } from '../core/job.ts';
import type { ClaimResult, NewJob, PruneParams, Storage } from '../core/storage.ts';
import { KnownItems } from './known-items.ts';
import type { DraftSpec } from './model-draft.ts';
import type { ModelOperation } from './model-operation.ts';
import { ModelSchedules } from './model-schedules.ts';
import { findLease, ModelSettlements } from './model-settlements.ts';
import { ModelSteps } from './model-steps.ts';
import { comparableJob, RuleContext } from './rule-context.ts';
import { readAllSignals, readAllSteps } from './step-context.ts';
import type { StorageFixture } from './storage-harness.ts';
import { StoragePair } from './storage-pair.ts';

/** Calls after which a loop that should come to its end is taken for endless. */
const MAX_ROUNDS = 10_000;
const LIST_PAGE = 50;
const READ_PAGE = 5;

/** Does the same to a storage and to the reference model, and compares every answer. */
export class ModelRun {
  readonly #pair: StoragePair;
  /** Makes the jobs and tokens that both storages are given. */
  readonly #context: RuleContext;
  readonly #schedules: ModelSchedules;
  readonly #steps: ModelSteps;
  readonly #settlements: ModelSettlements;
  readonly #calls = new KnownItems<NewJob>();
  /** Of all jobs, stored or not: those that lost to an idempotency key are not there. */
  readonly #jobIds = new KnownItems<string>();
  readonly #leases = new KnownItems<Lease>();
  readonly #parentIds = new KnownItems<string>();

  private constructor(pair: StoragePair, context: RuleContext) {
    this.#pair = pair;
    this.#context = context;
    const jobIds = this.#jobIds;
    const leases = this.#leases;
    this.#schedules = new ModelSchedules({ pair, context, jobIds });
    this.#settlements = new ModelSettlements({ pair, jobIds, leases });
    this.#steps = new ModelSteps({
      pair,
      context,
      jobIds,
      leases,
      parentIds: this.#parentIds,
      newJob: (spec) => this.#newJob(spec),
    });
  }

  static async start(fixture: StorageFixture): Promise<ModelRun> {
    return new ModelRun(await StoragePair.open(fixture), new RuleContext(fixture));
  }

  async apply(operation: ModelOperation): Promise<void> {
    switch (operation.kind) {
      case 'enqueue':
        return this.#enqueue(operation.jobs.map((spec) => this.#newJob(spec)));
      case 'enqueueAgain': {
        const job = this.#calls.fromNewest(operation.job);
        return job === null ? undefined : this.#pair.compare((storage) => storage.enqueue({ jobs: [job] }));
      }
      case 'claim':
        return this.#claim(operation);
      case 'extend': {
        const { leaseMs } = operation;
        const leases = operation.leases.map((spec) => findLease(this.#leases, spec)).filter((lease) => lease !== null);
        return this.#pair.compare((storage) => storage.extendLeases({ leases, leaseMs }));
      }
      case 'settle':
        return this.#settlements.settle(operation.settlements);
      case 'reclaim':
        return this.#pair.compare((storage) => reclaimAll(storage, operation.limit));
      case 'cancel':
        return this.#pair.compare((storage) =>
          storage.cancel({ jobIds: this.#idsAt(operation.jobs), isRunningIncluded: operation.isRunningIncluded }),
        );
      case 'retry':
        return this.#pair.compare((storage) => storage.retry({ jobIds: this.#idsAt(operation.jobs) }));
      case 'read':
        return this.#pair.compare((storage) => readJobs(storage, this.#idsAt(operation.jobs)));
      case 'prune':
        return this.#pair.compare((storage) => pruneAll(storage, operation));
      case 'list':
        return this.#list(operation);
      case 'counts':
        return this.#pair.compare((storage) => storage.counts());
      case 'advance':
        return this.#pair.advance(operation.ms);
      case 'reopen':
        return this.#pair.reopen();
      case 'awaitEachOther':
        return this.#settlements.awaitEachOther(operation);
      case 'recordSteps':
      case 'signal':
      case 'signalAgain':
        return this.#steps.apply(operation);
      default:
        return this.#schedules.apply(operation);
    }
  }

  /** Compares all that both storages hold. */
  async compareEverything(): Promise<void> {
    await this.#pair.compare((storage) => readJobs(storage, this.#jobIds.all));
    await this.#pair.compare((storage) => storage.counts());
    for (const orderBy of ['createdAt', 'scheduledAt'] as const) {
      for (const isAscending of [true, false]) {
        await this.#pair.compare((storage) => listAll(storage, orderBy, isAscending));
      }
    }
    await this.#schedules.compareEverything();
  }

  async #enqueue(jobs: readonly NewJob[]): Promise<void> {
    await this.#pair.compare((storage) => storage.enqueue({ jobs }));
  }

  async #claim({ names, limit, leaseMs }: Extract<ModelOperation, { kind: 'claim' }>): Promise<void> {
    const params = this.#context.claimParams({ names, limit, leaseMs, workerId: `worker-${limit}` });
    const { expected, actual } = await this.#pair.ask((storage) => storage.claim(params));
    assert.deepEqual(actual.jobs.map(comparableJob), expected.jobs.map(comparableJob));
    assertNextDue(actual, expected, limit);
    this.#leases.add(...expected.jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token: params.leaseToken })));
  }

  async #list({ parent, ...operation }: Extract<ModelOperation, { kind: 'list' }>): Promise<void> {
    const parentId = parent === null ? null : this.#parentIds.fromNewest(parent);
    await this.#pair.compare((storage) => storage.listJobs({ ...operation, parentId }));
  }

  /** Makes a job that the run knows of from now on. */
  #newJob(spec: DraftSpec): NewJob {
    const job = this.#context.newJob({
      name: spec.name,
      priority: spec.priority,
      idempotencyKey: spec.key,
      delayMs: spec.delayMs,
      runAt: spec.runAtOffsetMs === null ? null : this.#pair.now() + spec.runAtOffsetMs,
      options: { maxAttempts: spec.maxAttempts },
    });
    this.#calls.add(job);
    this.#jobIds.add(job.id);
    return job;
  }

  #idsAt(places: readonly number[]): string[] {
    return places.map((place) => this.#jobIds.fromNewest(place)).filter((id) => id !== null);
  }
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
  const read = async (jobId: string): Promise<unknown> => [
    await storage.getAttempts({ jobId }),
    await readAllSteps(storage, jobId, READ_PAGE),
    await readAllSignals(storage, jobId, READ_PAGE),
  ];
  const belongings = await Promise.all(jobIds.map(read));
  return jobs.map((job, i) => [job === null ? null : comparableJob(job), belongings[i]]);
}

async function listAll(storage: Storage, orderBy: 'createdAt' | 'scheduledAt', isAscending: boolean): Promise<unknown> {
  const pages: unknown[] = [];
  for (let offset = 0; ; offset += LIST_PAGE) {
    const page = await storage.listJobs({
      states: null,
      names: null,
      parentId: null,
      limit: LIST_PAGE,
      offset,
      orderBy,
      isAscending,
    });
    pages.push(page);
    if (page.jobs.length < LIST_PAGE) return pages;
  }
}
