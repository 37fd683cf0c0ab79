import { assertNumber, type JobOptions } from '../core/options.ts';
import type { ScheduleAccess } from './schedule-access.ts';
import { ScheduleHandle } from './schedule-handle.ts';
import { assertScheduleSettings, type ScheduleOptions, type ScheduleSettings } from './schedule-options.ts';

/** Schedules by what they are called in plain words, in UTC unless a time zone is said. */
export interface ScheduleShorthands<Args extends unknown[]> {
  /** At the beginning of every minute. */
  everyMinute(...args: Args): Promise<ScheduleHandle>;
  /** At the beginning of every hour. */
  hourly(...args: Args): Promise<ScheduleHandle>;
  /** At an hour, 0 to 23, of every day. */
  daily(hour: number, ...args: Args): Promise<ScheduleHandle>;
  /** At an hour, 0 to 23, of one day of the week, 0 (Sunday) to 6. */
  weekly(dayOfWeek: number, hour: number, ...args: Args): Promise<ScheduleHandle>;
}

/** Recurring calls of a durable function. */
export interface Scheduling<Args extends unknown[]> extends ScheduleShorthands<Args> {
  /**
   * Calls the function again and again. Resolves once the schedule is durable; from then on each occurrence makes one job,
   * whichever processes run. The same call again gives the schedule that is there, so that every process can declare its
   * schedules when it starts.
   *
   * @throws ReseolioError `invalid_cron`, `invalid_timezone`, `invalid_option`, `invalid_name`, `payload_unserializable`,
   *   `payload_too_large`, `not_started`, `stopped`; `schedule_exists` if there is one of the name that says something
   *   else, unless `replace` is set.
   */
  schedule(options: ScheduleOptions, ...args: Args): Promise<ScheduleHandle>;

  /**
   * The shorthands with options: `report.with({ timezone: 'Europe/Berlin' }).daily(9, 'sales')`.
   *
   * @throws ReseolioError `invalid_option` for an unknown key.
   */
  with(settings: ScheduleSettings): ScheduleShorthands<Args>;
}

export interface SchedulingParams {
  readonly name: string;
  readonly options: JobOptions;
  readonly schedules: ScheduleAccess;
}

export function createScheduling<Args extends unknown[]>({
  name,
  options,
  schedules,
}: SchedulingParams): Scheduling<Args> {
  const schedule = async (given: ScheduleOptions, ...args: Args): Promise<ScheduleHandle> =>
    new ScheduleHandle(schedules, await schedules.schedule(name, options, given, args));

  function withSettings(settings: ScheduleSettings): ScheduleShorthands<Args> {
    assertScheduleSettings(settings);
    const at = (cron: string, args: Args): Promise<ScheduleHandle> => schedule({ ...settings, cron }, ...args);
    return {
      everyMinute: async (...args) => at('* * * * *', args),
      hourly: async (...args) => at('0 * * * *', args),
      daily: async (hour, ...args) => at(`0 ${checkedHour(hour)} * * *`, args),
      weekly: async (dayOfWeek, hour, ...args) => at(`0 ${checkedHour(hour)} * * ${checkedDay(dayOfWeek)}`, args),
    };
  }

  return { schedule, with: withSettings, ...withSettings({}) };
}

function checkedHour(hour: unknown): number {
  assertNumber('the hour', hour, 0, 23, true);
  return hour;
}

function checkedDay(dayOfWeek: unknown): number {
  assertNumber('the day of the week', dayOfWeek, 0, 6, true);
  return dayOfWeek;
}
