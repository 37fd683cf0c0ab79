import { isFinished } from '../../core/job.ts';
import type {
  CreateScheduleParams,
  CreateScheduleResult,
  FiringStatus,
  ListDueSchedulesParams,
  ListDueSchedulesResult,
  ListSchedulesParams,
  ListSchedulesResult,
  ScheduleFiring,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from '../../core/schedule-operations.ts';
import { SCHEDULE_STATES, type ScheduleRecord, type ScheduleSummary } from '../../core/schedule-record.ts';
import type { NewJob } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';
import { copyPayload } from './stored-job.ts';

/** All schedules. */
export class ScheduleTable {
  readonly #schedules = new Map<string, ScheduleRecord>();

  create({ schedule }: Readonly<CreateScheduleParams>, now: number): CreateScheduleResult {
    const { id, name, definition, nextRunAt } = schedule;
    const repeated = this.#schedules.get(id);
    if (repeated !== undefined) return { schedule: copySchedule(repeated), isNew: true };
    const existing = this.#findLive(name);
    if (existing !== null) return { schedule: copySchedule(existing), isNew: false };
    const record: ScheduleRecord = {
      ...definition,
      id,
      name,
      state: 'active',
      nextRunAt,
      lastRunAt: null,
      lastJobId: null,
      revision: 1,
      createdAt: now,
      updatedAt: now,
    };
    this.#schedules.set(id, copySchedule(record));
    return { schedule: copySchedule(record), isNew: true };
  }

  get(idOrName: string): ScheduleRecord | null {
    const lastOfName = [...this.#schedules.values()].findLast(({ name }) => name === idOrName);
    const found = this.#schedules.get(idOrName) ?? this.#findLive(idOrName) ?? lastOfName;
    return found === undefined ? null : copySchedule(found);
  }

  list({ states, limit, offset }: Readonly<ListSchedulesParams>): ListSchedulesResult {
    const matching = [...this.#schedules.values()].filter(({ state }) => states.includes(state)).sort(compareNextRun);
    return { schedules: matching.slice(offset, offset + limit).map(toSummary), total: matching.length };
  }

  update(params: Readonly<UpdateScheduleParams>, now: number): UpdateScheduleResult {
    const { id, revision, definition, state, nextRunAt } = params;
    const schedule = this.#schedules.get(id);
    if (schedule === undefined || schedule.state === 'deleted') return { status: 'not_found' };
    if (schedule.revision !== revision) return { status: 'conflict' };
    const changed = { ...schedule, ...definition, state, nextRunAt, revision: revision + 1, updatedAt: now };
    this.#schedules.set(id, copySchedule(changed));
    return { status: 'changed', schedule: copySchedule(changed) };
  }

  listDue({ limit }: Readonly<ListDueSchedulesParams>, now: number): ListDueSchedulesResult {
    const isComing = ({ state, nextRunAt }: ScheduleRecord): boolean => state === 'active' && nextRunAt !== null;
    const active = [...this.#schedules.values()].filter(isComing).sort(compareNextRun);
    const due = active.filter((schedule) => nextRun(schedule) <= now).slice(0, limit);
    const next = active[due.length];
    return {
      schedules: due.map(toSummary),
      now,
      nextDueInMs: next === undefined ? null : Math.max(0, nextRun(next) - now),
    };
  }

  fire({ scheduleId, revision, jobs, nextRunAt }: ScheduleFiring, table: JobTable, now: number): FiringStatus {
    const schedule = this.#schedules.get(scheduleId);
    if (schedule?.revision !== revision || schedule.state !== 'active') return 'stale';
    const isOverlapped = schedule.overlap === 'skip' && hasUnfinished(table, schedule.lastJobId);
    if (!isOverlapped)
      for (const { id, dueAt } of jobs) table.add(newJobOf(schedule, id, dueAt), now, { scheduleId, parentId: null });
    const last = isOverlapped ? undefined : jobs.at(-1);
    this.#schedules.set(scheduleId, {
      ...schedule,
      nextRunAt,
      lastRunAt: last?.dueAt ?? schedule.lastRunAt,
      lastJobId: last?.id ?? schedule.lastJobId,
      revision: revision + 1,
    });
    return isOverlapped ? 'overlapped' : 'fired';
  }

  /** The function whose jobs a schedule makes. */
  jobNameOf(scheduleId: string): string | null {
    return this.#schedules.get(scheduleId)?.jobName ?? null;
  }

  #findLive(name: string): ScheduleRecord | null {
    for (const schedule of this.#schedules.values()) {
      if (schedule.name === name && schedule.state !== 'deleted') return schedule;
    }
    return null;
  }
}

function newJobOf(schedule: ScheduleRecord, id: string, dueAt: number): NewJob {
  const { jobName: name, args, options, priority } = schedule;
  return { id, name, args, options, priority, idempotencyKey: null, delayMs: null, runAt: dueAt };
}

function hasUnfinished(table: JobTable, jobId: string | null): boolean {
  const job = jobId === null ? null : table.get(jobId);
  return job !== null && !isFinished(job.record.state);
}

function nextRun({ nextRunAt }: ScheduleRecord): number {
  return nextRunAt ?? Number.POSITIVE_INFINITY;
}

function compareNextRun(a: ScheduleRecord, b: ScheduleRecord): number {
  const byState = SCHEDULE_STATES.indexOf(a.state) - SCHEDULE_STATES.indexOf(b.state);
  if (byState !== 0) return byState;
  const [nextOfA, nextOfB] = [nextRun(a), nextRun(b)];
  if (nextOfA !== nextOfB) return nextOfA - nextOfB;
  return a.id < b.id ? -1 : 1;
}

function copySchedule(schedule: ScheduleRecord): ScheduleRecord {
  return { ...schedule, options: { ...schedule.options }, args: copyPayload(schedule.args) };
}

function toSummary(schedule: ScheduleRecord): ScheduleSummary {
  const { args: _args, ...summary } = copySchedule(schedule);
  return summary;
}
