import type { JobIdGenerator } from '../core/job-id.ts';
import { type FiringPlan, planFiring } from '../core/plan-firing.ts';
import type { Recurrence } from '../core/recurrence.ts';
import type { Runtime } from '../core/runtime.ts';
import type { FiringStatus, ScheduleFiring } from '../core/schedule-operations.ts';
import type { ScheduleSummary } from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import { MaintenanceLoop } from './maintenance-loop.ts';
import type { SchedulerEvents } from './scheduler-events.ts';

/** Schedules that one look takes on, and jobs that one call of the storage makes (one schedule may make more). */
const BATCH_LIMIT = 500;
const BATCH_JOBS = 1000;
/** How long what comes next is worked out before what is known of it is fired. */
const MAX_PLANNING_MS = 5;
/** Hints that schedules were made or changed may be lost. */
const MAX_PAUSE_MS = 15_000;
const MIN_PAUSE_MS = 1;
/** Somebody else is at the same schedules, once; and where it seems to be so for ever. */
const STALE_PAUSE_MS = 10;
const MAX_STALE_PAUSE_MS = 1000;
/** Expressions that are kept parsed. */
const MAX_RECURRENCES = 10_000;

export interface SchedulerParams {
  readonly runtime: Runtime;
  readonly storage: Pick<Storage, 'listDueSchedules' | 'fireSchedules'>;
  readonly ids: Pick<JobIdGenerator, 'next'>;
  readonly events: SchedulerEventSink;
  readonly reportError: (error: unknown) => boolean;
  /** How long it sleeps at the most, milliseconds. Default 15 000. */
  readonly maxPauseMs?: number;
}

interface SchedulerEventSink {
  emit<Name extends keyof SchedulerEvents>(event: Name, payload: SchedulerEvents[Name]): void;
}

interface PlannedFiring {
  readonly schedule: ScheduleSummary;
  readonly plan: FiringPlan;
  readonly firing: ScheduleFiring;
}

/**
 * Fires schedules when they are due. Every started client runs one, and none of them leads: the storage lets one of those
 * who try succeed. It sleeps until the next is due, by the storage's clock, or until it is woken.
 */
export function createScheduler(params: SchedulerParams): MaintenanceLoop {
  const { runtime, reportError } = params;
  const scheduler = new Scheduler(params);
  return new MaintenanceLoop({ runtime, firstDelayMs: 0, step: () => scheduler.step(), reportError });
}

class Scheduler {
  readonly #params: SchedulerParams;
  readonly #recurrences = new Map<string, Recurrence>();
  /** Those that this process cannot fire, as they were when it found out. */
  #broken: ReadonlySet<string> = new Set();
  /** Looks in a row that fired nothing, since somebody else was at all of it. */
  #staleLooks = 0;

  constructor(params: SchedulerParams) {
    this.#params = params;
  }

  /** Fires what is due, up to a limit. Resolves with the milliseconds until there is more to do. */
  async step(): Promise<number> {
    const { storage } = this.#params;
    const { schedules, now, nextDueInMs } = await storage.listDueSchedules({ limit: BATCH_LIMIT + this.#broken.size });
    // What parses expressions is loaded when there is a schedule, and before it is due.
    if (schedules.length === 0 && nextDueInMs === null) return this.#pauseMs(null);
    const { parseRecurrence } = await import('../core/schedule.ts');
    let [fired, stale] = [0, 0];
    for (const batch of this.#planBatches(schedules, parseRecurrence, now)) {
      const statuses = await storage.fireSchedules({ firings: batch.map(({ firing }) => firing) });
      const left = statuses.filter((status) => status === 'stale').length;
      stale += left;
      fired += statuses.length - left;
      for (const [i, each] of batch.entries()) this.#tell(each, statuses[i] as FiringStatus, now);
    }
    this.#staleLooks = fired > 0 ? 0 : this.#staleLooks + 1;
    if (stale > 0) return this.#stalePauseMs();
    return fired > 0 ? MIN_PAUSE_MS : this.#pauseMs(nextDueInMs);
  }

  #pauseMs(nextDueInMs: number | null): number {
    const { runtime, maxPauseMs = MAX_PAUSE_MS } = this.#params;
    if (nextDueInMs !== null && nextDueInMs < maxPauseMs) return Math.max(MIN_PAUSE_MS, nextDueInMs);
    // Many processes may have started together.
    return maxPauseMs * (1 - 0.1 * runtime.random());
  }

  #stalePauseMs(): number {
    const pauseMs = Math.min(MAX_STALE_PAUSE_MS, STALE_PAUSE_MS * 2 ** Math.min(this.#staleLooks, 10));
    return pauseMs * (1 + this.#params.runtime.random());
  }

  /** Plans as it goes: what is planned is fired before the rest is, so that the event loop gets its turn. */
  *#planBatches(
    schedules: readonly ScheduleSummary[],
    parse: ParseRecurrence,
    now: number,
  ): Generator<readonly PlannedFiring[]> {
    const { runtime } = this.#params;
    const broken = new Set<string>();
    let batch: PlannedFiring[] = [];
    let jobs = 0;
    let startedAt = runtime.monotonicNow();
    for (const schedule of schedules) {
      const planned = this.#tryPlan(schedule, parse, now, broken);
      if (planned === null) continue;
      batch.push(planned);
      jobs += planned.firing.jobs.length;
      if (jobs < BATCH_JOBS && runtime.monotonicNow() - startedAt < MAX_PLANNING_MS) continue;
      yield batch;
      batch = [];
      jobs = 0;
      startedAt = runtime.monotonicNow();
    }
    this.#broken = broken;
    if (batch.length > 0) yield batch;
  }

  #tryPlan(schedule: ScheduleSummary, parse: ParseRecurrence, now: number, broken: Set<string>): PlannedFiring | null {
    try {
      return this.#plan(schedule, parse, now);
    } catch (error) {
      const { id, name, revision } = schedule;
      const key = `${id} ${revision}`;
      broken.add(key);
      if (!this.#broken.has(key)) this.#params.events.emit('schedule:error', { scheduleId: id, name, error });
      return null;
    }
  }

  #plan(schedule: ScheduleSummary, parse: ParseRecurrence, now: number): PlannedFiring {
    const { id, cron, timezone, revision, nextRunAt } = schedule;
    const recurrence = this.#recurrenceOf(cron, timezone, parse);
    const plan = planFiring({ ...schedule, nextRunAt: nextRunAt ?? now }, recurrence, now);
    const jobs = plan.occurrences.map((dueAt) => ({ id: this.#params.ids.next(), dueAt }));
    return { schedule, plan, firing: { scheduleId: id, revision, jobs, nextRunAt: plan.nextRunAt } };
  }

  #recurrenceOf(cron: string, timezone: string, parse: ParseRecurrence): Recurrence {
    const key = `${timezone} ${cron}`;
    let recurrence = this.#recurrences.get(key);
    if (recurrence === undefined) {
      recurrence = parse(cron, timezone);
      if (this.#recurrences.size >= MAX_RECURRENCES) this.#recurrences.clear();
      this.#recurrences.set(key, recurrence);
    }
    return recurrence;
  }

  #tell({ schedule, plan, firing }: PlannedFiring, status: FiringStatus, now: number): void {
    if (status === 'stale') return;
    const { events } = this.#params;
    const { id: scheduleId, name } = schedule;
    const { skippedFrom, occurrences } = plan;
    if (skippedFrom !== null) events.emit('schedule:skip', { scheduleId, name, reason: 'missed', dueAt: skippedFrom });
    if (status === 'overlapped') {
      const dueAt = occurrences[0];
      if (dueAt !== undefined) events.emit('schedule:skip', { scheduleId, name, reason: 'overlap', dueAt });
      return;
    }
    for (const { id: jobId, dueAt } of firing.jobs) {
      events.emit('schedule:fire', { scheduleId, name, jobId, dueAt, lagMs: now - dueAt });
    }
  }
}

type ParseRecurrence = (cron: string, timezone: string) => Recurrence;
