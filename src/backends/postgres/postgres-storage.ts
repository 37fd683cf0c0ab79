import { ReseolioError } from '../../core/errors.ts';
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
  EnqueueInTransactionParams,
  EnqueueParams,
  EnqueueResult,
  ExtendLeasesParams,
  JobIdsParams,
  LeaseStatus,
  ListJobsParams,
  ListJobsResult,
  NameCounts,
  PruneParams,
  PruneResult,
  ReclaimParams,
  ReclaimResult,
  SettleParams,
  SettleResult,
  Storage,
  StorageHint,
} from '../../core/storage.ts';
import { Changes } from './changes.ts';
import { Claims } from './claims.ts';
import type { Connections } from './connections.ts';
import { CountFolder } from './count-folder.ts';
import { Enqueues } from './enqueues.ts';
import { Hints } from './hints.ts';
import { laneOfRow } from './job-columns.ts';
import { Lanes } from './lanes.ts';
import {
  extendLeasesQuery,
  planLeases,
  readExtended,
  readReclaimed,
  reclaimExpiredQuery,
} from './operations/leases.ts';
import { pruneQuery } from './operations/prune.ts';
import type { CommitSetting, RunQuery } from './query.ts';
import { Reads } from './reads.ts';
import { Schedules } from './schedules.ts';
import { Settles } from './settles.ts';
import { Steps } from './steps.ts';

export interface PostgresStorageParams {
  readonly connections: Connections;
  readonly runtime: Runtime;
  readonly schema: string;
  /** Names this storage among those on the same schema. */
  readonly origin: string;
  readonly commit: CommitSetting;
  readonly isListening: boolean;
}

/**
 * The contract of `core/storage.ts` on PostgreSQL. What the library repeats by itself (claims, settles, leases,
 * maintenance) goes to the server once; what users wait for is tried again while the server cannot be reached.
 */
export class PostgresStorage implements Storage {
  readonly #connections: Connections;
  readonly #run: RunQuery;
  readonly #runOnce: RunQuery;
  readonly #lanes: Lanes;
  readonly #hints: Hints;
  readonly #enqueues: Enqueues;
  readonly #claims: Claims;
  readonly #settles: Settles;
  readonly #reads: Reads;
  readonly #folder: CountFolder;
  readonly #schedules: Schedules;
  readonly #steps: Steps;
  readonly #changes: Changes;
  #closed: Promise<void> | null = null;
  #calls = 0;
  #onIdle: () => void = () => {};

  constructor(params: PostgresStorageParams) {
    const { connections, commit, runtime } = params;
    this.#connections = connections;
    this.#run = (query) => connections.run(query);
    this.#runOnce = (query) => connections.runOnce(query);
    this.#lanes = new Lanes(this.#run, this.#runOnce);
    connections.onNewTimeline(() => this.#lanes.forget());
    this.#enqueues = new Enqueues({ ...params, run: this.#run, lanes: this.#lanes, timeoutMs: connections.timeoutMs });
    this.#claims = new Claims({ run: this.#runOnce, runtime, lanes: this.#lanes });
    this.#reads = new Reads(this.#run, this.#lanes);
    this.#folder = new CountFolder(this.#runOnce);
    this.#hints = new Hints({
      ...params,
      run: this.#runOnce,
      source: connections.source,
      onLateWork: () => this.#claims.searchEverywhere(),
    });
    const onDue = (lanes: readonly number[]) => this.#tellWork(lanes);
    this.#settles = new Settles({ run: this.#runOnce, commit, hints: this.#hints, onDue });
    const shared = { lanes: this.#lanes, hints: this.#hints, folder: this.#folder };
    this.#schedules = new Schedules({ ...params, ...shared });
    this.#steps = new Steps({ ...params, ...shared, onDue });
    this.#changes = new Changes({ ...params, ...shared, onDue });
  }

  /** Resolves when it hears of other processes, or cannot for the time being. */
  async start(): Promise<void> {
    await this.#lanes.load();
    await this.#hints.start();
  }

  async enqueue({ jobs }: Readonly<EnqueueParams>): Promise<EnqueueResult[]> {
    return this.#call(async () => {
      if (jobs.length === 0) return [];
      const results = await this.#enqueues.enqueue(jobs);
      const names = new Set(jobs.map(({ name }) => name));
      this.#hints.postWork([...names]);
      this.#folder.note(names.size);
      return results;
    });
  }

  async enqueueInTransaction({ jobs, transaction }: Readonly<EnqueueInTransactionParams>): Promise<EnqueueResult[]> {
    return this.#call(async () => (jobs.length === 0 ? [] : this.#enqueues.enqueueInTransaction(jobs, transaction)));
  }

  async claim(params: Readonly<ClaimParams>): Promise<ClaimResult> {
    return this.#call(async () => {
      const result = await this.#claims.claim(params);
      // One row for each name when they are taken, and one when they are settled.
      this.#folder.note(2 * Math.min(result.jobs.length, params.names.length));
      return result;
    });
  }

  async extendLeases({ leases, leaseMs }: Readonly<ExtendLeasesParams>): Promise<LeaseStatus[]> {
    return this.#call(async () => {
      const planned = planLeases(leases);
      const rows = planned.length === 0 ? [] : await this.#runOnce(extendLeasesQuery(planned, leaseMs));
      return readExtended(leases, planned, rows);
    });
  }

  async settle({ settlements }: Readonly<SettleParams>): Promise<SettleResult[]> {
    return this.#call(async () => {
      return settlements.length === 0 ? [] : this.#settles.settle(settlements);
    });
  }

  async reclaimExpired({ limit }: Readonly<ReclaimParams>): Promise<ReclaimResult> {
    return this.#call(async () => {
      const rows = await this.#runOnce(reclaimExpiredQuery(limit));
      const changed = rows.slice(0, -1);
      await this.#lanes.learn(changed.map(laneOfRow));
      const result = readReclaimed(rows, this.#lanes);
      const finished = result.jobs.filter(({ state }) => state !== 'pending').map(({ jobId }) => jobId);
      const finishedIds = new Set(finished);
      await this.#tellWork(changed.filter(([id]) => !finishedIds.has(id as string)).map(laneOfRow));
      this.#hints.postFinished(finished);
      this.#folder.fold();
      return result;
    });
  }

  async recordSteps(params: Readonly<RecordStepsParams>): Promise<RecordStepsResult[]> {
    return this.#call(() => this.#steps.record(params));
  }

  async getSteps(params: Readonly<GetStepsParams>): Promise<StoredStep[]> {
    return this.#call(() => this.#steps.getSteps(params));
  }

  async signal(params: Readonly<SignalParams>): Promise<SignalResult[]> {
    return this.#call(() => this.#steps.signal(params));
  }

  async getSignals(params: Readonly<GetSignalsParams>): Promise<StoredSignal[]> {
    return this.#call(() => this.#steps.getSignals(params));
  }

  async cancel(params: Readonly<CancelParams>): Promise<ChangeResult[]> {
    return this.#call(() => this.#changes.cancel(params));
  }

  async retry(params: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    return this.#call(() => this.#changes.retry(params));
  }

  async getJobs({ jobIds }: Readonly<JobIdsParams>): Promise<(JobRecord | null)[]> {
    return this.#call(() => this.#reads.getJobs(jobIds));
  }

  async getAttempts({ jobId }: Readonly<{ jobId: string }>): Promise<AttemptRecord[]> {
    return this.#call(() => this.#reads.getAttempts(jobId));
  }

  async listJobs(params: Readonly<ListJobsParams>): Promise<ListJobsResult> {
    return this.#call(() => this.#reads.listJobs(params));
  }

  async counts(): Promise<NameCounts[]> {
    return this.#call(() => this.#reads.counts());
  }

  async prune(params: Readonly<PruneParams>): Promise<PruneResult> {
    return this.#call(async () => {
      const [row] = await this.#runOnce(pruneQuery(params));
      const pruned = Number(row?.[0]);
      return { pruned, hasMore: pruned === params.limit };
    });
  }

  async createSchedule(params: Readonly<CreateScheduleParams>): Promise<CreateScheduleResult> {
    return this.#call(() => this.#schedules.create(params));
  }

  async getSchedule(params: Readonly<GetScheduleParams>): Promise<GetScheduleResult> {
    return this.#call(() => this.#schedules.get(params));
  }

  async listSchedules(params: Readonly<ListSchedulesParams>): Promise<ListSchedulesResult> {
    return this.#call(() => this.#schedules.list(params));
  }

  async updateSchedule(params: Readonly<UpdateScheduleParams>): Promise<UpdateScheduleResult> {
    return this.#call(() => this.#schedules.update(params));
  }

  async listDueSchedules(params: Readonly<ListDueSchedulesParams>): Promise<ListDueSchedulesResult> {
    return this.#call(() => this.#schedules.listDue(params));
  }

  async fireSchedules(params: Readonly<FireSchedulesParams>): Promise<FiringStatus[]> {
    return this.#call(() => this.#schedules.fire(params));
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    return this.#closed === null ? this.#hints.watch(listener) : () => {};
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#connections.stopRepeating();
    if (this.#calls > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await Promise.all([this.#hints.close(), this.#folder.idle()]);
    await this.#connections.end();
  }

  /** Makes a call unless the storage is closed; `close` waits for it. */
  async #call<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#closed !== null) throw new ReseolioError('stopped', 'the storage is closed');
    this.#calls++;
    try {
      return await run();
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#onIdle();
    }
  }

  async #tellWork(lanes: readonly number[]): Promise<void> {
    if (lanes.length === 0) return;
    await this.#lanes.learn(lanes);
    this.#hints.postWork(lanes.map((lane) => this.#lanes.read(lane).name));
  }
}
