import { ReseolioError, transactionUnsupported } from '../../core/errors.ts';
import type { AttemptRecord, JobRecord } from '../../core/job.ts';
import type { Runtime } from '../../core/runtime.ts';
import type {
  CreateScheduleParams,
  CreateScheduleResult,
  FireSchedulesParams,
  FiringStatus,
  GetScheduleParams,
  GetScheduleResult,
  ListDueSchedulesParams,
  ListDueSchedulesResult,
  ListSchedulesParams,
  ListSchedulesResult,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from '../../core/schedule-operations.ts';
import type {
  GetSignalsParams,
  GetStepsParams,
  RecordStepsParams,
  RecordStepsResult,
  SignalParams,
  SignalResult,
  StoredSignal,
  StoredStep,
} from '../../core/step-operations.ts';
import type {
  CancelParams,
  ChangeResult,
  ClaimParams,
  ClaimResult,
  EnqueueParams,
  EnqueueResult,
  ExtendLeasesParams,
  JobIdsParams,
  LeaseStatus,
  ListJobsParams,
  ListJobsResult,
  NameCounts,
  NewJob,
  PruneParams,
  PruneResult,
  ReclaimParams,
  ReclaimResult,
  Settlement,
  SettleParams,
  SettleResult,
  Storage,
  StorageHint,
} from '../../core/storage.ts';
import type { Operation } from './committer.ts';
import { Environment, type EnvironmentParams } from './environment.ts';
import { readNameCounts } from './names.ts';
import { createSchedule, updateSchedule } from './operations/change-schedules.ts';
import { cancel, retry } from './operations/change-state.ts';
import { claim, peekNextDue } from './operations/claim.ts';
import { enqueue } from './operations/enqueue.ts';
import { extendLeases } from './operations/extend-leases.ts';
import { fireSchedules } from './operations/fire-schedules.ts';
import { getAttempts, getJobs } from './operations/get-jobs.ts';
import { listJobs } from './operations/list-jobs.ts';
import { getSchedule, listDueSchedules, listSchedules } from './operations/list-schedules.ts';
import { PruneSearch, prune } from './operations/prune.ts';
import { nextExpiryInMs, reclaimExpired } from './operations/reclaim-expired.ts';
import { getSteps, recordSteps } from './operations/record-steps.ts';
import { settle } from './operations/settle.ts';
import { getSignals, signal } from './operations/signal.ts';

export interface OpenLmdbStorageParams extends EnvironmentParams {
  readonly runtime: Pick<Runtime, 'now'>;
}

/** The contract of `core/storage.ts` on LMDB: reads from snapshots, writes through one group commit. */
export class LmdbStorage implements Storage {
  readonly #environment: Environment;
  readonly #now: () => number;
  readonly #pruneSearch = new PruneSearch();
  readonly #stopWatching = new Set<() => void>();
  #isClosed = false;

  /** Opens the storage in a directory, which is made (mode 0700) if it is not there. */
  static async open({ runtime, ...params }: OpenLmdbStorageParams): Promise<LmdbStorage> {
    return new LmdbStorage(await Environment.acquire(params), runtime);
  }

  private constructor(environment: Environment, runtime: Pick<Runtime, 'now'>) {
    this.#environment = environment;
    this.#now = () => runtime.now();
  }

  async enqueue({ jobs }: Readonly<EnqueueParams>): Promise<EnqueueResult[]> {
    this.#assertUsable();
    if (jobs.length === 0) return [];
    const results = this.#write((transaction) => enqueue(transaction, jobs, this.#now()), jobs.length);
    this.#announce(jobs);
    return results;
  }

  async enqueueInTransaction(): Promise<never> {
    throw transactionUnsupported();
  }

  async claim(params: Readonly<ClaimParams>): Promise<ClaimResult> {
    const { committer, names } = this.#environment;
    if (!committer.isBusy) {
      const nextDueInMs = this.#read((tree) => peekNextDue(tree, names, params.names, this.#now()));
      if (nextDueInMs !== 0) return { jobs: [], nextDueInMs };
    }
    return this.#write((transaction) => claim(transaction, params, this.#now()), params.limit);
  }

  async extendLeases(params: Readonly<ExtendLeasesParams>): Promise<LeaseStatus[]> {
    this.#assertUsable();
    if (params.leases.length === 0) return [];
    return this.#write((transaction) => extendLeases(transaction, params, this.#now()), params.leases.length);
  }

  async settle({ settlements }: Readonly<SettleParams>): Promise<SettleResult[]> {
    this.#assertUsable();
    if (settlements.length === 0) return [];
    return this.#write((transaction) => settle(transaction, settlements, this.#now()), countJobs(settlements));
  }

  async recordSteps({ recordings }: Readonly<RecordStepsParams>): Promise<RecordStepsResult[]> {
    this.#assertUsable();
    if (recordings.length === 0) return [];
    const steps = recordings.flatMap((recording) => recording.steps);
    const jobCount = recordings.length + steps.length;
    const results = this.#write((transaction) => recordSteps(transaction, recordings, this.#now()), jobCount);
    this.#announce(steps.flatMap(({ child }) => child ?? []));
    return results;
  }

  async getSteps(params: Readonly<GetStepsParams>): Promise<StoredStep[]> {
    return this.#read((tree) => getSteps(tree, params));
  }

  async signal({ signals }: Readonly<SignalParams>): Promise<SignalResult[]> {
    this.#assertUsable();
    if (signals.length === 0) return [];
    return this.#write((transaction) => signal(transaction, signals, this.#now()), signals.length);
  }

  async getSignals(params: Readonly<GetSignalsParams>): Promise<StoredSignal[]> {
    return this.#read((tree) => getSignals(tree, params));
  }

  async reclaimExpired(params: Readonly<ReclaimParams>): Promise<ReclaimResult> {
    const nextExpiry = this.#read((tree) => nextExpiryInMs(tree, this.#now()));
    if (nextExpiry !== 0) return { jobs: [], nextExpiryInMs: nextExpiry };
    return this.#write((transaction) => reclaimExpired(transaction, params, this.#now()));
  }

  async cancel(params: Readonly<CancelParams>): Promise<ChangeResult[]> {
    return this.#write((transaction) => cancel(transaction, params, this.#now()), params.jobIds.length);
  }

  async retry({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    return this.#write((transaction) => retry(transaction, jobIds, this.#now()), jobIds.length);
  }

  async getJobs({ jobIds }: Readonly<JobIdsParams>): Promise<(JobRecord | null)[]> {
    return this.#read((tree) => getJobs(tree, this.#environment.names, jobIds));
  }

  async getAttempts({ jobId }: Readonly<{ jobId: string }>): Promise<AttemptRecord[]> {
    return this.#read((tree) => getAttempts(tree, jobId));
  }

  async listJobs(params: Readonly<ListJobsParams>): Promise<ListJobsResult> {
    return this.#read((tree) => listJobs(tree, this.#environment.names, params));
  }

  async counts(): Promise<NameCounts[]> {
    return this.#read((tree) => readNameCounts(tree));
  }

  async prune(params: Readonly<PruneParams>): Promise<PruneResult> {
    const ids = this.#read((tree) => this.#pruneSearch.find(tree, params, this.#now()));
    if (ids.length === 0) return { pruned: 0, hasMore: false };
    const { pruned, isStoppedEarly } = await this.#write((transaction) => prune(transaction, ids, params.state));
    return { pruned, hasMore: isStoppedEarly || ids.length >= params.limit };
  }

  async createSchedule({ schedule }: Readonly<CreateScheduleParams>): Promise<CreateScheduleResult> {
    return this.#write((transaction) => createSchedule(transaction, schedule, this.#now()));
  }

  async getSchedule({ idOrName }: Readonly<GetScheduleParams>): Promise<GetScheduleResult> {
    return this.#read((tree) => ({ schedule: getSchedule(tree, idOrName), now: this.#now() }));
  }

  async listSchedules(params: Readonly<ListSchedulesParams>): Promise<ListSchedulesResult> {
    return this.#read((tree) => listSchedules(tree, params));
  }

  async updateSchedule(params: Readonly<UpdateScheduleParams>): Promise<UpdateScheduleResult> {
    return this.#write((transaction) => updateSchedule(transaction, params, this.#now()));
  }

  async listDueSchedules({ limit }: Readonly<ListDueSchedulesParams>): Promise<ListDueSchedulesResult> {
    return this.#read((tree) => listDueSchedules(tree, limit, this.#now()));
  }

  async fireSchedules({ firings }: Readonly<FireSchedulesParams>): Promise<FiringStatus[]> {
    this.#assertUsable();
    if (firings.length === 0) return [];
    const jobCount = firings.reduce((count, { jobs }) => count + jobs.length, firings.length);
    return this.#write((transaction) => fireSchedules(transaction, firings, this.#now()), jobCount);
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    const stopWatching = this.#environment.watch(listener);
    this.#stopWatching.add(stopWatching);
    return () => {
      this.#stopWatching.delete(stopWatching);
      stopWatching();
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stopWatching of this.#stopWatching) stopWatching();
    // Commits go in the order of the calls, so when this one is done, so are all that were made here before.
    await this.#environment.committer.submit(() => {}).catch(() => {});
    await this.#environment.release();
  }

  /** Before the commit: a worker of this process that claims at once has its claim in the same commit. */
  #announce(jobs: readonly NewJob[]): void {
    if (jobs.length === 0) return;
    this.#environment.emit({ kind: 'work', names: [...new Set(jobs.map(({ name }) => name))] });
  }

  #write<Result>(operation: Operation<Result>, jobCount = 1): Promise<Result> {
    this.#assertUsable();
    return this.#environment.committer.submit(operation, jobCount);
  }

  /** Reads from a snapshot that is not older than the call. */
  #read<Result>(read: (tree: Environment['tree']) => Result): Result {
    this.#assertUsable();
    const { tree } = this.#environment;
    tree.refresh();
    return read(tree);
  }

  #assertUsable(): void {
    if (this.#isClosed) throw new ReseolioError('stopped', 'the storage is closed');
    const { failure } = this.#environment.committer;
    if (failure !== null) throw failure;
  }
}

/** How many jobs the settlements are about, those that are awaited included. */
function countJobs(settlements: readonly Settlement[]): number {
  return settlements.reduce(
    (count, { outcome }) => count + (outcome.kind === 'suspend' ? outcome.awaits.length : 0),
    settlements.length,
  );
}
