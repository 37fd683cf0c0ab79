import { ReseolioError } from '../../core/errors.ts';
import { type AttemptRecord, isFinished, type JobRecord } from '../../core/job.ts';
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
  Settlement,
  SettleParams,
  SettleResult,
  Storage,
  StorageHint,
} from '../../core/storage.ts';
import { Claims } from './claims.ts';
import type { Connections, RunTrace } from './connections.ts';
import { CountFolder } from './count-folder.ts';
import { Enqueues } from './enqueues.ts';
import { Hints } from './hints.ts';
import { laneOfRow } from './job-columns.ts';
import { Lanes } from './lanes.ts';
import { CHANGES, type Change, changeQuery, planIds, readChanges, statesQuery } from './operations/change-state.ts';
import {
  extendLeasesQuery,
  planLeases,
  readExtended,
  readReclaimed,
  reclaimExpiredQuery,
} from './operations/leases.ts';
import { pruneQuery } from './operations/prune.ts';
import type { Settled } from './operations/settle.ts';
import type { CommitSetting, RunQuery } from './query.ts';
import { Reads } from './reads.ts';
import { Schedules } from './schedules.ts';
import { Settles } from './settles.ts';

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
    this.#settles = new Settles({ run: this.#runOnce, commit });
    this.#reads = new Reads(this.#run, this.#lanes);
    this.#folder = new CountFolder(this.#runOnce);
    this.#hints = new Hints({
      ...params,
      run: this.#runOnce,
      source: connections.source,
      onLateWork: () => this.#claims.searchEverywhere(),
    });
    this.#schedules = new Schedules({ ...params, lanes: this.#lanes, hints: this.#hints, folder: this.#folder });
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
      if (settlements.length === 0) return [];
      const settled = await this.#settles.settle(settlements);
      await this.#tellSettled(settlements, settled);
      return settled.map(({ result }) => result);
    });
  }

  async reclaimExpired({ limit }: Readonly<ReclaimParams>): Promise<ReclaimResult> {
    return this.#call(async () => {
      const rows = await this.#runOnce(reclaimExpiredQuery(limit));
      await this.#lanes.learn(rows.slice(0, -1).map(laneOfRow));
      const result = readReclaimed(rows, this.#lanes);
      this.#hints.postWork(result.jobs.filter(({ state }) => state === 'pending').map(({ name }) => name));
      this.#hints.postFinished(result.jobs.filter(({ state }) => state === 'dead').map(({ jobId }) => jobId));
      this.#folder.fold();
      return result;
    });
  }

  async cancel({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    return this.#call(() => this.#change('cancel', jobIds));
  }

  async retry({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    return this.#call(() => this.#change('retry', jobIds));
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

  async #change(change: Change, jobIds: readonly string[]): Promise<ChangeResult[]> {
    const planned = planIds(jobIds);
    if (planned.length === 0) return readChanges(change, jobIds, new Set(), []);
    const trace: RunTrace = { isRepeated: false };
    const rows = await this.#connections.run(changeQuery(change, planned), trace);
    const changed = new Set(rows.map(([id]) => id as string));
    const others = planned.filter((id) => !changed.has(id));
    const states = others.length === 0 ? [] : await this.#run(statesQuery(others));
    // What a try changed whose answer was lost is found as it left it.
    if (trace.isRepeated) for (const [id, state] of states) if (state === CHANGES[change]) changed.add(id as string);
    if (change === 'cancel') this.#hints.postFinished([...changed]);
    else await this.#tellWork(rows.map(laneOfRow));
    return readChanges(change, jobIds, changed, states);
  }

  async #tellSettled(settlements: readonly Settlement[], settled: readonly Settled[]): Promise<void> {
    const finished: string[] = [];
    const lanes: number[] = [];
    for (const [i, { result, lane }] of settled.entries()) {
      if (result.status === 'lease_lost') continue;
      if (isFinished(result.state)) finished.push((settlements[i] as Settlement).lease.jobId);
      else if (result.state === 'pending' && lane !== null) lanes.push(lane);
    }
    this.#hints.postFinished(finished);
    if (lanes.length > 0) await this.#tellWork(lanes);
  }

  async #tellWork(lanes: readonly number[]): Promise<void> {
    await this.#lanes.learn(lanes);
    this.#hints.postWork(lanes.map((lane) => this.#lanes.read(lane).name));
  }
}
