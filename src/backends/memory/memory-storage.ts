import { ReseolioError, transactionUnsupported } from '../../core/errors.ts';
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
  SettleParams,
  SettleResult,
  Storage,
  StorageHint,
} from '../../core/storage.ts';
import { HintBoard } from '../hint-board.ts';
import { type Changed, cancelJob, retryJob } from './change-state.ts';
import { claimJobs } from './claim.ts';
import { findHeld, reclaimAttempt, settleAttempt } from './end-attempts.ts';
import { countJobs, findPrunable, listJobs } from './job-queries.ts';
import { getSignals, getSteps, recordSteps, signalJob } from './job-steps.ts';
import { JobTable } from './job-table.ts';
import { ScheduleTable } from './schedule-table.ts';
import { copyAttempt, copyRecord, type JobOrigin, type StoredJob } from './stored-job.ts';
import { wakeWaiting } from './suspensions.ts';

const CALLED: JobOrigin = { scheduleId: null, parentId: null };

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
      this.#table.add(job, now, CALLED);
      addedNames.push(job.name);
      return { jobId: job.id, deduplicated: false };
    });
    this.#hints.postWork(addedNames);
    return results;
  }

  async enqueueInTransaction(): Promise<never> {
    throw transactionUnsupported();
  }

  async claim(params: Readonly<ClaimParams>): Promise<ClaimResult> {
    const now = this.#begin();
    const jobs = claimJobs(this.#table, params, now);
    const waiting = params.names.map((name) => this.#table.nextRunAt(name)).filter((runAt) => runAt !== null);
    return { jobs, nextDueInMs: untilFirst(waiting, now) };
  }

  async extendLeases({ leases, leaseMs }: Readonly<ExtendLeasesParams>): Promise<LeaseStatus[]> {
    const now = this.#begin();
    return leases.map((lease) => {
      const held = findHeld(this.#table, lease);
      if (held === null) return 'lease_lost';
      const { record } = this.#table.update(held, { record: { leaseExpiresAt: now + leaseMs } });
      return record.isCancelRequested ? 'cancel_requested' : 'held';
    });
  }

  async settle({ settlements }: Readonly<SettleParams>): Promise<SettleResult[]> {
    const now = this.#begin();
    const changed: JobRecord[] = [];
    const results = settlements.map((settlement) => {
      const { result, settled } = settleAttempt(this.#table, settlement, now);
      if (settled !== null) changed.push(settled);
      // At once, so that no later settlement of the call takes those that wait for it for waiting still.
      if (settled !== null && isFinished(settled.state)) wakeWaiting(this.#table, [settled.id], now);
      return result;
    });
    this.#postChanges(changed, now);
    return results;
  }

  async recordSteps({ recordings }: Readonly<RecordStepsParams>): Promise<RecordStepsResult[]> {
    const now = this.#begin();
    const addedNames: string[] = [];
    const addChild = (child: NewJob, parentId: string): string => {
      const known = this.#findKnown(child);
      if (known !== null) return known.jobId;
      this.#table.add(child, now, { scheduleId: null, parentId });
      addedNames.push(child.name);
      return child.id;
    };
    const results = recordings.map((recording) => recordSteps(this.#table, recording, addChild));
    this.#hints.postWork(addedNames);
    return results;
  }

  async getSteps(params: Readonly<GetStepsParams>): Promise<StoredStep[]> {
    this.#begin();
    return getSteps(this.#table, params);
  }

  async signal({ signals }: Readonly<SignalParams>): Promise<SignalResult[]> {
    const now = this.#begin();
    const outcomes = signals.map((signal) => signalJob(this.#table, signal, now));
    this.#hints.postWork(outcomes.flatMap(({ woken }) => woken?.name ?? []));
    this.#hints.postSignals(signals.map(({ jobId }) => jobId));
    return outcomes.map(({ result }) => result);
  }

  async getSignals(params: Readonly<GetSignalsParams>): Promise<StoredSignal[]> {
    this.#begin();
    return getSignals(this.#table, params);
  }

  async reclaimExpired({ limit }: Readonly<ReclaimParams>): Promise<ReclaimResult> {
    const now = this.#begin();
    const expired = this.#table
      .running()
      .filter((job) => leaseExpiry(job) <= now)
      .sort((a, b) => leaseExpiry(a) - leaseExpiry(b) || a.sequence - b.sequence)
      .slice(0, limit);
    const jobs = expired.map((job) => reclaimAttempt(this.#table, job, now));
    this.#postChanges(
      jobs.map(({ jobId, name, state }) => ({ id: jobId, name, state })),
      now,
    );
    return { jobs, nextExpiryInMs: untilFirst(this.#table.running().map(leaseExpiry), now) };
  }

  async cancel({ jobIds, isRunningIncluded }: Readonly<CancelParams>): Promise<ChangeResult[]> {
    const now = this.#begin();
    const results = this.#change(jobIds, now, (id) => cancelJob(this.#table, id, isRunningIncluded, now));
    this.#hints.postSignals(jobIds.filter((_, i) => results[i]?.status === 'requested'));
    return results;
  }

  async retry({ jobIds }: Readonly<JobIdsParams>): Promise<ChangeResult[]> {
    const now = this.#begin();
    return this.#change(jobIds, now, (id) => retryJob(this.#table, id, now));
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
    return listJobs(this.#table, params);
  }

  async counts(): Promise<NameCounts[]> {
    this.#begin();
    return countJobs(this.#table);
  }

  async prune(params: Readonly<PruneParams>): Promise<PruneResult> {
    const old = findPrunable(this.#table, params, this.#begin());
    for (const job of old) this.#table.remove(job);
    return { pruned: old.length, hasMore: old.length === params.limit };
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

  #change(jobIds: readonly string[], now: number, changeOne: (jobId: string) => Changed): ChangeResult[] {
    const changes = jobIds.map(changeOne);
    this.#postChanges(
      changes.flatMap(({ job }) => job ?? []),
      now,
    );
    return changes.map(({ result }) => result);
  }

  /** Tells of jobs that changed their state, after waking those that wait for the ones that finished. */
  #postChanges(changed: readonly Pick<JobRecord, 'id' | 'name' | 'state'>[], now: number): void {
    const finished = changed.filter(({ state }) => isFinished(state)).map(({ id }) => id);
    const woken = wakeWaiting(this.#table, finished, now);
    this.#hints.postWork([...changed, ...woken].filter(({ state }) => state === 'pending').map(({ name }) => name));
    this.#hints.postFinished(finished);
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
