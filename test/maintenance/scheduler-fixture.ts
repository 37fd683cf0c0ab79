import { onTestFinished } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import { JobIdGenerator } from '../../src/core/job-id.ts';
import { DEFAULT_JOB_OPTIONS } from '../../src/core/options.ts';
import { encodePayload } from '../../src/core/payload.ts';
import { firstOccurrence, parseRecurrence } from '../../src/core/schedule.ts';
import type { ScheduleRule } from '../../src/core/schedule-record.ts';
import type { Storage } from '../../src/core/storage.ts';
import type { MaintenanceLoop } from '../../src/maintenance/maintenance-loop.ts';
import { createScheduler } from '../../src/maintenance/scheduler.ts';
import type { SchedulerEvents } from '../../src/maintenance/scheduler-events.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';

export const DAY_MS = 86_400_000;

export interface SchedulerFixture {
  readonly runtime: DrivenRuntime;
  readonly storage: MemoryStorage;
  /** What schedulers told, oldest first. */
  readonly events: { [Name in keyof SchedulerEvents]: readonly [Name, SchedulerEvents[Name]] }[keyof SchedulerEvents][];
  readonly errors: unknown[];
  /** Makes a schedule as the client does, and gives its id. */
  create(cron: string, rule?: Partial<ScheduleRule>): Promise<string>;
  /** Starts a scheduler that is stopped when the test ends. It sleeps as long as it may unless told otherwise. */
  start(storage?: Pick<Storage, 'listDueSchedules' | 'fireSchedules'>, maxPauseMs?: number): MaintenanceLoop;
  /** The occurrences that a schedule has made jobs for, in the order of the jobs. */
  occurrencesOf(scheduleId: string): Promise<number[]>;
}

/** A storage and schedulers on it, with no client around them: nothing but schedules needs the clock. */
export function createSchedulerFixture(startAt?: number): SchedulerFixture {
  const runtime = new DrivenRuntime(startAt === undefined ? {} : { startAt });
  const storage = new MemoryStorage({ runtime });
  const ids = new JobIdGenerator(runtime);
  const events: SchedulerFixture['events'] = [];
  const errors: unknown[] = [];
  const loops: MaintenanceLoop[] = [];
  onTestFinished(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
  });

  return {
    runtime,
    storage,
    events,
    errors,
    async create(cron, rule = {}) {
      const definition = {
        jobName: 'task',
        cron,
        timezone: 'UTC',
        options: DEFAULT_JOB_OPTIONS,
        priority: 0,
        catchUp: 'latest',
        catchUpLimit: 100,
        overlap: 'allow',
        args: encodePayload([], 'args'),
        ...rule,
      } as const;
      const id = ids.next();
      const nextRunAt = firstOccurrence(cron, definition.timezone, runtime.now());
      await storage.createSchedule({ schedule: { id, name: `schedule:${id}`, definition, nextRunAt } });
      return id;
    },
    start(on = storage, maxPauseMs = Number.MAX_SAFE_INTEGER) {
      const loop = createScheduler({
        runtime,
        storage: on,
        ids,
        maxPauseMs,
        events: { emit: (name, payload) => void events.push([name, payload] as SchedulerFixture['events'][number]) },
        reportError: (error) => {
          errors.push(error);
          return false;
        },
      });
      loops.push(loop);
      loop.start();
      return loop;
    },
    occurrencesOf: (scheduleId) => readOccurrences(storage, scheduleId),
  };
}

async function readOccurrences(storage: MemoryStorage, scheduleId: string): Promise<number[]> {
  const all: number[] = [];
  for (let offset = 0; ; offset += 1000) {
    const page = {
      states: null,
      names: null,
      parentId: null,
      limit: 1000,
      offset,
      orderBy: 'createdAt',
      isAscending: true,
    } as const;
    const { jobs, total } = await storage.listJobs(page);
    for (const { occurrence } of jobs) if (occurrence?.scheduleId === scheduleId) all.push(occurrence.dueAt);
    if (offset + 1000 >= total) return all;
  }
}

/** All occurrences of an expression in a time. */
export function occurrencesIn(cron: string, timezone: string, after: number, until: number): number[] {
  return parseRecurrence(cron, timezone).firstOf(after, until, Number.POSITIVE_INFINITY);
}
