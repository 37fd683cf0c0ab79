import { ReseolioError, transactionUnsupported } from '../../core/errors.ts';
import {
  type AttemptRecord,
  isFinished,
  JOB_STATES,
  type JobEvent,
  type JobRecord,
  type JobState,
  nextState,
} from '../../core/job.ts';
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
  SettleParams,
  SettleResult,
  Storage,
  StorageHint,
} from '../../core/storage.ts';
import { HintBoard } from '../hint-board.ts';
import { findHeld, reclaimAttempt, settleAttempt } from './end-attempts.ts';
import { JobTable } from './job-table.ts';
import { ScheduleTable } from './schedule-table.ts';
import { copyAttempt, copyRecord, copySummary, type StoredJob } from './stored-job.ts';

/**
 * Jobs in the memory of this process: they end with it. For tests, and as the reference model that the suite of
 * `reseolio/testing` holds other storages against: each method is one synchronous step with nothing clever in it.
 */
export class MemoryStorage implements Storage {
  readonly #runtime: Runtime;
  readonly #hints = new HintBoard();
  readonly #table = new JobTable();
  readonly #schedules = new ScheduleTable();
  #isClosed = false;

  constructor({ runtime }: Readonly<{ runtime: Runtime }>) {
    this.#runtime = runtime;
  }

  async enqueue({ jobs }: Readonly<EnqueueParams>): Promise<EnqueueResult[]> {
    const now = this.#begin();
    const addedNames: string[] = [];
    const results = jobs.map((job) => {
      const known = this.#findKnown(job);
      if (known !== null) return known;
      this.#table.add(job, now, null);
      addedNames.push(job.name);
      return { jobId: job.id, deduplicated: false };
    });
    this.#hints.postWork(addedNames);
    return results;
  }

  async enqueueInTransaction(): Promise<never> {
    throw transactionUnsupported();
  }

  async claim({ workerId, leaseToken, names, limit, leaseMs }: Readonly<ClaimParams>): Promise<ClaimResult> {
    const now = this.#begin();
    const jobs: JobRecord[] = [];
    let namesWithDue = names;
    while (jobs.length < limit && namesWithDue.length > 0) {
      namesWithDue = namesWithDue.filter((name) => {
        if (jobs.length === limit) return false;
        const job = this.#table.firstDue(name, now);
        if (job === null) return false;
        const { record } = this.#table.update(job, {
          leaseToken,
          record: {
            state: 'running',
            attempt: job.record.attempt + 1,
            startedAt: now,
            leaseExpiresAt: now + leaseMs,
            workerId,
          },
        });
        jobs.push(copyRecord(record));
        return true;
      });
    }
    const waiting = names.map((name) => this.#table.nextRunAt(name)).filter((runAt) => runAt !== null);
    return { jobs, nextDueInMs: untilFirst(waiting, now) };
  }

  async extendLeases({ leases, leaseMs }: Readonly<ExtendLeasesParams>): Promise<LeaseStatus[]> {
    const now = this.#begin();
    return leases.map((lease) => {
      const held = findHeld(this.#table, lease);
      if (held === null) return 'lease_lost';
      this.#table.update(held, { record: { leaseExpiresAt: now + leaseMs } });
      return 'held';
    });
  }

  async settle({ settlements }: Readonly<SettleParams>): Promise<SettleResult[]> {
    const now = this.#begin();
    const changed: JobRecord[] = [];
    const results = settlements.map((settlement) => {
      const { result, settled } = settleAttempt(this.#table, settlement, now);
      if (settled !== null) changed.push(settled);
      return result;
    });
    this.#postChanges(changed);
    return results;
  }

  async reclaimExpired({ limit }: Readonly<ReclaimParams>): Promise<ReclaimResult> {
    const now = this.#begin();
    const expired = this.#table
      .running()
      .filter((job) => leaseExpiry(job) <= now)
      .sort((a, b) => leaseExpiry(a) - leaseExpiry(b) || a.sequence - b.sequence)
      .slice(0, limit);
    const jobs = expired.map((job) => reclaimAttempt(this.#table, job, now));
    this.#postChanges(jobs.map(({ jobId, name, state }) => ({ id: jobId, name, state })));
    return { jobs, nextExpiryInMs: untilFirst(this.#table.running().map(leaseExpiry), now) };
  }

  async cancel({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    const now = this.#begin();
    return this.#changeJobs(jobIds, 'cancel', { finishedAt: now });
  }

  async retry({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    const now = this.#begin();
    const anew = { attempt: 0, error: null, finishedAt: null, startedAt: null, workerId: null, runAt: now };
    return this.#changeJobs(jobIds, 'retry', anew);
  }

  async getJobs({ jobIds }: Readonly<JobIdsParams>): Promise<(JobRecord | null)[]> {
    this.#begin();
    return jobIds.map((id) => {
      const job = this.#table.get(id);
      return job === null ? null : copyRecord(job.record);
    });
  }

  async getAttempts({ jobId }: Readonly<{ jobId: string }>): Promise<AttemptRecord[]> {
    this.#begin();
    return (this.#table.get(jobId)?.attempts ?? []).map(copyAttempt);
  }

  async listJobs(params: Readonly<ListJobsParams>): Promise<ListJobsResult> {
    this.#begin();
    const { states, names, limit, offset, orderBy, isAscending } = params;
    const timeOf = ({ record }: StoredJob) => (orderBy === 'createdAt' ? record.createdAt : record.runAt);
    const direction = isAscending ? 1 : -1;
    const matching = this.#table
      .all()
      .filter(({ record }) => states === null || states.includes(record.state))
      .filter(({ record }) => names === null || names.includes(record.name))
      .sort((a, b) => direction * (timeOf(a) - timeOf(b) || a.sequence - b.sequence));
    const page = matching.slice(offset, offset + limit);
    return { jobs: page.map(({ record }) => copySummary(record)), total: matching.length };
  }

  async counts(): Promise<NameCounts[]> {
    this.#begin();
    const all = this.#table.all().map(({ record }) => record);
    const names = [...new Set(all.map(({ name }) => name))].sort();
    return names.map((name) => {
      const counts = { name } as { name: string } & Record<JobState, number>;
      for (const state of JOB_STATES) counts[state] = 0;
      for (const record of all) if (record.name === name) counts[record.state]++;
      return counts;
    });
  }

  async prune({ state, olderThanMs, limit }: Readonly<PruneParams>): Promise<PruneResult> {
    const now = this.#begin();
    const old = this.#table
      .all()
      .filter(({ record }) => record.state === state && now - finishTime(record) > olderThanMs)
      .sort((a, b) => finishTime(a.record) - finishTime(b.record) || a.sequence - b.sequence)
      .slice(0, limit);
    for (const job of old) this.#table.remove(job);
    return { pruned: old.length, hasMore: old.length === limit };
  }

  async createSchedule(params: Readonly<CreateScheduleParams>): Promise<CreateScheduleResult> {
    const result = this.#schedules.create(params, this.#begin());
    if (result.isNew) this.#hints.post({ kind: 'schedules' });
    return result;
  }

  async getSchedule({ idOrName }: Readonly<GetScheduleParams>): Promise<GetScheduleResult> {
    const now = this.#begin();
    return { schedule: this.#schedules.get(idOrName), now };
  }

  async listSchedules(params: Readonly<ListSchedulesParams>): Promise<ListSchedulesResult> {
    this.#begin();
    return this.#schedules.list(params);
  }

  async updateSchedule(params: Readonly<UpdateScheduleParams>): Promise<UpdateScheduleResult> {
    const result = this.#schedules.update(params, this.#begin());
    if (result.status === 'changed') this.#hints.post({ kind: 'schedules' });
    return result;
  }

  async listDueSchedules(params: Readonly<ListDueSchedulesParams>): Promise<ListDueSchedulesResult> {
    return this.#schedules.listDue(params, this.#begin());
  }

  async fireSchedules({ firings }: Readonly<FireSchedulesParams>): Promise<FiringStatus[]> {
    const now = this.#begin();
    const statuses = firings.map((firing) => this.#schedules.fire(firing, this.#table, now));
    const fired = firings.filter(({ jobs }, i) => statuses[i] === 'fired' && jobs.length > 0);
    this.#hints.postWork(fired.map(({ scheduleId }) => this.#schedules.jobNameOf(scheduleId) as string));
    return statuses;
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    if (this.#isClosed) return () => {};
    return this.#hints.watch(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hints.clear();
  }

  /** The time at which the whole operation happens. */
  #begin(): number {
    if (this.#isClosed) throw new ReseolioError('stopped', 'the storage is closed');
    return this.#runtime.now();
  }

  #findKnown({ id, name, idempotencyKey }: NewJob): EnqueueResult | null {
    if (this.#table.get(id) !== null) return { jobId: id, deduplicated: false };
    const sameKeyId = idempotencyKey === null ? null : this.#table.findIdByKey(name, idempotencyKey);
    return sameKeyId === null ? null : { jobId: sameKeyId, deduplicated: true };
  }

  #changeJobs(jobIds: readonly string[], event: JobEvent, change: Partial<JobRecord>): ChangeResult[] {
    const changed: JobRecord[] = [];
    const results = jobIds.map((id): ChangeResult => {
      const job = this.#table.get(id);
      if (job === null) return { status: 'not_found' };
      const state = nextState(job.record.state, event);
      if (state === null) return { status: 'refused', state: job.record.state };
      changed.push(this.#table.update(job, { record: { ...change, state } }).record);
      return { status: 'changed', state };
    });
    this.#postChanges(changed);
    return results;
  }

  #postChanges(changed: readonly Pick<JobRecord, 'id' | 'name' | 'state'>[]): void {
    this.#hints.postWork(changed.filter(({ state }) => state === 'pending').map(({ name }) => name));
    this.#hints.postFinished(changed.filter(({ state }) => isFinished(state)).map(({ id }) => id));
  }
}

/** Milliseconds until the earliest of `times`, 0 if it has passed, null if there is none. */
function untilFirst(times: readonly number[], now: number): number | null {
  if (times.length === 0) return null;
  const earliest = times.reduce((a, b) => Math.min(a, b));
  return Math.max(0, earliest - now);
}

function leaseExpiry({ record }: StoredJob): number {
  return record.leaseExpiresAt ?? Number.POSITIVE_INFINITY;
}

function finishTime({ finishedAt }: JobRecord): number {
  return finishedAt ?? Number.POSITIVE_INFINITY;
}
