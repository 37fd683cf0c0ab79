import { DEFAULT_JOB_OPTIONS } from '../src/core/options.ts';
import { encodePayload } from '../src/core/payload.ts';
import type { NewSchedule } from '../src/core/schedule-operations.ts';
import type { ScheduleRule } from '../src/core/schedule-record.ts';
import { openBenchStorage } from './claim-batch.ts';
import { ids } from './new-jobs.ts';
import { ARGUMENTS, JOB_NAME } from './workload.ts';

/** Calls of the storage under way at once. */
const BATCH_SCHEDULES = 1000;
/** Of three continents; one is half an hour off. */
const ZONES = ['America/New_York', 'Europe/Berlin', 'Asia/Kolkata'];

export type DueRule = Pick<ScheduleRule, 'cron' | 'timezone'>;

export interface ScheduleBatch {
  readonly count: number;
  /** Unix milliseconds, a whole second. */
  readonly nextRunAt: number;
}

/** Minutely, hourly, daily, weekly and monthly in three zones: all have an occurrence at the whole second `at`. */
export function rulesDueAt(at: number): DueRule[] {
  return ZONES.flatMap((timezone) => {
    const { second, minute, hour, day, weekday } = localFields(at, timezone);
    const [minutely, hourly, daily] = [`${second} *`, `${second} ${minute}`, `${second} ${minute} ${hour}`];
    return [
      `${minutely} * * * *`,
      `${hourly} * * * *`,
      `${daily} * * *`,
      `${daily} * * ${weekday}`,
      `${daily} ${day} * *`,
    ].map((cron) => ({ cron, timezone }));
  });
}

function localFields(at: number, timezone: string) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    weekday: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = format.formatToParts(at);
  const partOf = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value;
  return {
    second: partOf('second'),
    minute: partOf('minute'),
    hour: partOf('hour'),
    day: partOf('day'),
    weekday: partOf('weekday'),
  };
}

/** Makes schedules of the workload's function, each with a name of its own, on the storage itself. */
export async function makeSchedules(url: string, { count, nextRunAt }: ScheduleBatch): Promise<void> {
  const storage = await openBenchStorage(url);
  const rules = rulesDueAt(nextRunAt);
  for (let made = 0; made < count; made += BATCH_SCHEDULES) {
    const batch = Array.from({ length: Math.min(BATCH_SCHEDULES, count - made) }, (_, i) =>
      newSchedule(rules[i % rules.length] as DueRule, nextRunAt),
    );
    await Promise.all(batch.map((schedule) => storage.createSchedule({ schedule })));
  }
  await storage.close();
}

function newSchedule({ cron, timezone }: DueRule, nextRunAt: number): NewSchedule {
  const id = ids.next();
  return {
    id,
    name: `bench:schedule:${id}`,
    nextRunAt,
    definition: {
      jobName: JOB_NAME,
      cron,
      timezone,
      options: DEFAULT_JOB_OPTIONS,
      priority: 0,
      catchUp: 'latest',
      catchUpLimit: 100,
      overlap: 'allow',
      args: encodePayload(ARGUMENTS, 'args'),
    },
  };
}
