import type { JobSummary } from '../../../src/core/job.ts';
import type { ScheduleSummary } from '../../../src/core/schedule-record.ts';
import type { Storage } from '../../../src/core/storage.ts';
import type { TimedSchedule } from './timed-schedule.ts';

/** What a schedule has done. All times are by the storage's clock. */
export interface ScheduleRun {
  readonly schedule: Pick<ScheduleSummary, 'name' | 'createdAt' | 'nextRunAt'>;
  readonly everyMs: number;
  /** Just before it was declared for the first time. */
  readonly declaredAt: number;
  /** All that was due by then had been fired, as far as could be seen. */
  readonly caughtUpAt: number;
  /** How late a job may be made. */
  readonly maxLagMs: number;
  /** Of this schedule. */
  readonly jobs: readonly Pick<JobSummary, 'occurrence' | 'createdAt'>[];
}

/**
 * What is wrong with a run under `catchUp: 'all'`. Right is: from the first occurrence after the declaration on, up to the
 * one that is still to come, each has one job, which was made when it was due, or up to `maxLagMs` later.
 */
export function findFiringErrors(run: ScheduleRun): string[] {
  const { name } = run.schedule;
  return [...findGaps(run), ...findUntimely(run)].map((error) => `${name}: ${error}`);
}

function findGaps({ schedule, everyMs, declaredAt, caughtUpAt, jobs }: ScheduleRun): string[] {
  const { createdAt, nextRunAt } = schedule;
  if (nextRunAt === null) return ['is never due again'];
  const errors: string[] = [];
  const counts = new Map<number, number>();
  for (const dueAt of jobs.map(dueAtOf)) counts.set(dueAt, (counts.get(dueAt) ?? 0) + 1);
  const begin = Math.min(nextRunAt, ...counts.keys());
  // It was decided between these two when it begins.
  const [earliest, latest] = [nextMultiple(declaredAt, everyMs), nextMultiple(createdAt, everyMs)];
  if (begin < earliest) errors.push(`begins with ${show(begin)}, before it was made`);
  if (nextRunAt <= caughtUpAt) errors.push(`stands still at ${show(nextRunAt)}`);
  for (let dueAt = Math.max(earliest, Math.min(begin, latest)); dueAt < nextRunAt; dueAt += everyMs) {
    if (!counts.has(dueAt)) errors.push(`${show(dueAt)} is lost`);
  }
  for (const [dueAt, count] of counts) {
    if (count > 1) errors.push(`${show(dueAt)} came ${count} times`);
    if (dueAt % everyMs !== 0) errors.push(`${show(dueAt)} is no occurrence`);
    if (dueAt >= nextRunAt) errors.push(`${show(dueAt)} came and is to come`);
  }
  return errors;
}

function findUntimely({ jobs, maxLagMs }: ScheduleRun): string[] {
  return jobs.flatMap((job) => {
    const lagMs = job.createdAt - dueAtOf(job);
    if (lagMs < 0) return [`${show(dueAtOf(job))} was fired ${-lagMs} ms before its time`];
    return lagMs > maxLagMs ? [`${show(dueAtOf(job))} was fired ${lagMs} ms after its time`] : [];
  });
}

export interface ReadRunsParams {
  readonly schedules: readonly TimedSchedule[];
  /** By the names of schedules. */
  readonly declaredAt: ReadonlyMap<string, number>;
  readonly caughtUpAt: number;
  readonly maxLagMs?: number;
}

/** Reads what became of `schedules`, when nothing runs any more. */
export async function readRuns(
  storage: Pick<Storage, 'getSchedule' | 'listJobs'>,
  { schedules, declaredAt, caughtUpAt, maxLagMs = Number.POSITIVE_INFINITY }: ReadRunsParams,
): Promise<ScheduleRun[]> {
  const all = await listAllJobs(storage);
  const runs = schedules.map(async ({ name, everyMs }) => {
    const { schedule } = await storage.getSchedule({ idOrName: name });
    if (schedule === null) throw new Error(`there is no schedule ${name}`);
    const jobs = all.filter(({ occurrence }) => occurrence?.scheduleId === schedule.id);
    return { schedule, everyMs, declaredAt: declaredAt.get(name) as number, caughtUpAt, maxLagMs, jobs };
  });
  const read = await Promise.all(runs);
  const count = read.reduce((sum, { jobs }) => sum + jobs.length, 0);
  if (count !== all.length) throw new Error(`${all.length - count} jobs are of no schedule`);
  return read;
}

const PAGE = {
  states: null,
  names: null,
  parentId: null,
  limit: 1000,
  orderBy: 'createdAt',
  isAscending: true,
} as const;

async function listAllJobs(storage: Pick<Storage, 'listJobs'>): Promise<JobSummary[]> {
  const all: JobSummary[] = [];
  for (;;) {
    const { jobs } = await storage.listJobs({ ...PAGE, offset: all.length });
    all.push(...jobs);
    if (jobs.length < PAGE.limit) return all;
  }
}

function dueAtOf({ occurrence }: Pick<JobSummary, 'occurrence'>): number {
  return occurrence?.dueAt ?? Number.NaN;
}

function nextMultiple(after: number, everyMs: number): number {
  return (Math.floor(after / everyMs) + 1) * everyMs;
}

function show(time: number): string {
  return new Date(time).toISOString();
}
