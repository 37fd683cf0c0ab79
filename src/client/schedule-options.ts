import { ReseolioError } from '../core/errors.ts';
import { isJobId } from '../core/job-id.ts';
import {
  assertJobName,
  assertNumber,
  DEFAULT_JOB_OPTIONS,
  describeValue,
  type JobOptions,
  LIMITS,
  resolveJobOptions,
} from '../core/options.ts';
import type { ListSchedulesParams } from '../core/schedule-operations.ts';
import {
  CATCH_UPS,
  type CatchUp,
  OVERLAPS,
  type Overlap,
  SCHEDULE_STATES,
  type ScheduleRule,
  type ScheduleState,
} from '../core/schedule-record.ts';
import { assertKeys, assertOneOf } from './client-options.ts';
import type { DefinitionKey } from './schedule-differences.ts';

/** What the jobs of a schedule can be given; what is not is the function's. */
export interface ScheduledJobOptions extends Partial<JobOptions> {
  /** -100 to 100, higher runs first among the jobs of one function. Default 0. */
  readonly priority?: number;
}

/** What a schedule says beside when it is due. */
export interface ScheduleSettings {
  /** What it is called: one function can have several schedules, each with a name of its own. Default: the function's. */
  readonly name?: string;
  /** A name of the IANA database, such as `Europe/Berlin`. Default `UTC`. */
  readonly timezone?: string;
  /** Options of its jobs; what is left out is the function's when the schedule is made. */
  readonly handlerOptions?: ScheduledJobOptions;
  /**
   * What becomes of occurrences that no scheduler came to before the next one: `latest` makes one job for the last of them, `all` one for
   * each, up to `catchUpLimit`, `skip` none. Default `latest`.
   */
  readonly catchUp?: CatchUp;
  /** With `catchUp: 'all'`: no more jobs than this, for the last of those that were missed, 1 to 1000. Default 100. */
  readonly catchUpLimit?: number;
  /** `skip`: no job is made while the one before has not ended, retries included. Default `allow`. */
  readonly overlap?: Overlap;
  /** Change the schedule of this name if it says something else, instead of refusing the call. Default false. */
  readonly replace?: boolean;
}

export interface ScheduleOptions extends ScheduleSettings {
  /**
   * When it is due: minute, hour, day of month, month, day of week (0 and 7 are Sunday), a second before them if there
   * are six; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
   */
  readonly cron: string;
}

/** What `update` changes of a schedule; all else stays as it is. */
export interface ScheduleChange {
  readonly cron?: string;
  readonly timezone?: string;
  /** Only those that are given change. */
  readonly handlerOptions?: ScheduledJobOptions;
  readonly catchUp?: CatchUp;
  readonly catchUpLimit?: number;
  readonly overlap?: Overlap;
  /** All arguments of the function. */
  readonly args?: readonly unknown[];
}

export interface ListSchedulesQuery {
  /** Default: all that are not deleted. */
  readonly status?: ScheduleState;
  /** At most so many, 1 to 10 000. Default 100. */
  readonly limit?: number;
  /** Leave out so many at the start, 0 to 1 000 000. Default 0. */
  readonly offset?: number;
}

const RULE_KEYS = ['timezone', 'handlerOptions', 'catchUp', 'catchUpLimit', 'overlap'] as const;
const SETTING_KEYS: ReadonlySet<string> = new Set(['name', 'replace', ...RULE_KEYS]);
const OPTION_KEYS: ReadonlySet<string> = new Set(['cron', ...SETTING_KEYS]);
const CHANGE_KEYS: ReadonlySet<string> = new Set(['cron', 'args', ...RULE_KEYS]);
const HANDLER_OPTIONS = [...(Object.keys(DEFAULT_JOB_OPTIONS) as (keyof JobOptions)[]), 'priority'] as const;
const HANDLER_OPTION_KEYS: ReadonlySet<string> = new Set(HANDLER_OPTIONS);
const QUERY_KEYS: ReadonlySet<string> = new Set(['status', 'limit', 'offset']);

export interface ResolvedSchedule {
  readonly name: string;
  readonly rule: ScheduleRule;
  /** What of the options of its jobs the call leaves to the function. */
  readonly unsaid: readonly DefinitionKey[];
  readonly isReplacing: boolean;
}

/**
 * What a call of `schedule` says about jobs of `jobName` whose options are `base` unless it says otherwise. Cron and time
 * zone are not looked at: what parses them is loaded later.
 *
 * @throws ReseolioError `invalid_option`, `invalid_name`.
 */
export function resolveScheduleOptions(given: ScheduleOptions, jobName: string, base: JobOptions): ResolvedSchedule {
  assertKeys('schedule', given, OPTION_KEYS);
  const { name = jobName, replace = false } = given;
  assertScheduleName(name);
  assertOneOf('replace', replace, [true, false]);
  const rule: ScheduleRule = {
    jobName,
    cron: given.cron,
    timezone: 'UTC',
    options: base,
    priority: 0,
    catchUp: 'latest',
    catchUpLimit: 100,
    overlap: 'allow',
  };
  const resolved = applyToRule(rule, given);
  const unsaid = HANDLER_OPTIONS.filter((key) => given.handlerOptions?.[key] === undefined);
  return { name, rule: resolved, unsaid, isReplacing: replace };
}

/** @throws ReseolioError `invalid_option`. */
export function assertScheduleSettings(settings: ScheduleSettings): void {
  assertKeys('with', settings, SETTING_KEYS);
}

/** @throws ReseolioError `invalid_option`. */
export function assertScheduleChange(change: ScheduleChange): void {
  assertKeys('update', change, CHANGE_KEYS);
}

/** @throws ReseolioError `invalid_option`. */
export function resolveListSchedulesQuery(query: ListSchedulesQuery): ListSchedulesParams {
  assertKeys('listSchedules', query, QUERY_KEYS);
  const { status, limit = 100, offset = 0 } = query;
  if (status !== undefined) assertOneOf('status', status, SCHEDULE_STATES);
  assertNumber('limit', limit, 1, LIMITS.schedulePage, true);
  assertNumber('offset', offset, 0, LIMITS.scheduleOffset, true);
  return { states: status === undefined ? ['active', 'paused'] : [status], limit, offset };
}

/** `rule` with what is given, which is checked as {@link resolveScheduleOptions} does. */
export function applyToRule(rule: ScheduleRule, given: Omit<ScheduleChange, 'args'>): ScheduleRule {
  const { handlerOptions = {}, catchUp, catchUpLimit, overlap } = given;
  assertKeys('handlerOptions', handlerOptions, HANDLER_OPTION_KEYS);
  const { priority, ...options } = handlerOptions;
  if (priority !== undefined) assertNumber('priority', priority, -LIMITS.priority, LIMITS.priority, true);
  if (catchUp !== undefined) assertOneOf('catchUp', catchUp, CATCH_UPS);
  if (catchUpLimit !== undefined) assertNumber('catchUpLimit', catchUpLimit, 1, LIMITS.catchUp, true);
  if (overlap !== undefined) assertOneOf('overlap', overlap, OVERLAPS);
  return {
    ...rule,
    // One that is there but undefined is a mistake of the caller, and would mean UTC without a word.
    cron: 'cron' in given ? (given.cron as string) : rule.cron,
    timezone: 'timezone' in given ? (given.timezone as string) : rule.timezone,
    options: resolveJobOptions(options, rule.options),
    priority: priority ?? rule.priority,
    catchUp: catchUp ?? rule.catchUp,
    catchUpLimit: catchUpLimit ?? rule.catchUpLimit,
    overlap: overlap ?? rule.overlap,
  };
}

function assertScheduleName(name: unknown): void {
  assertJobName(name);
  if (!isJobId(name)) return;
  throw new ReseolioError('invalid_name', `${describeValue(name)} looks like an id: give the schedule another name`);
}
