import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import { assertNumber, describeValue, type JobOptions, LIMITS } from '../core/options.ts';
import { encodePayload, type Payload } from '../core/payload.ts';
import type { Runtime } from '../core/runtime.ts';
import { definitionOf, ruleOf, type ScheduleDefinition, type ScheduleRecord } from '../core/schedule-record.ts';
import { assertKeys } from './client-options.ts';
import type { JobSource } from './job-access.ts';
import {
  changeSchedule,
  type Decide,
  type Decision,
  declareSchedule,
  type FirstOccurrence,
  loadFirstOccurrence,
  pause,
  redefine,
  remove,
  resumeBy,
  type ScheduleStore,
  scheduleNotFound,
} from './schedule-changes.ts';
import { describeDifferences } from './schedule-differences.ts';
import {
  applyToRule,
  assertScheduleChange,
  type ListSchedulesQuery,
  resolveListSchedulesQuery,
  resolveScheduleOptions,
  type ScheduleChange,
  type ScheduleOptions,
} from './schedule-options.ts';
import { type ScheduleDetails, type ScheduleList, toScheduleDetails, toScheduleOverview } from './schedule-overview.ts';

/** What a schedule would say whose occurrences are asked for. */
export interface PreviewOptions {
  readonly cron: string;
  /** Default `UTC`. */
  readonly timezone?: string;
}

/** By what a schedule is known. */
export interface ScheduleReference {
  readonly id: string;
  readonly name: string;
}

export interface ScheduleAccessParams {
  /** Throws while the client is not started. */
  readonly source: () => JobSource;
  readonly ids: JobIdGenerator;
  readonly runtime: Pick<Runtime, 'now'>;
  readonly maxPayloadBytes: number;
}

const MAX_PREVIEW = 1000;

/** Makes, reads and changes stored schedules. What is wrong with a call is found before anything is stored. */
export class ScheduleAccess {
  readonly #params: ScheduleAccessParams;

  constructor(params: ScheduleAccessParams) {
    this.#params = params;
  }

  /** `base`: options of the function's jobs. */
  async schedule(
    jobName: string,
    base: JobOptions,
    given: ScheduleOptions,
    args: readonly unknown[],
  ): Promise<ScheduleReference> {
    const store = this.#store();
    const { runtime, maxPayloadBytes } = this.#params;
    const { name, rule, unsaid, isReplacing } = resolveScheduleOptions(given, jobName, base);
    const definition: ScheduleDefinition = { ...rule, args: encodePayload(args, 'args', maxPayloadBytes) };
    assertCatchUpSize(definition);
    const firstOccurrence = await loadFirstOccurrence();
    firstOccurrence(rule.cron, rule.timezone, runtime.now());
    return declareSchedule(store, name, definition, (stored, now) => {
      const differences = describeDifferences(stored, definition, isReplacing ? [] : unsaid);
      if (differences === null) return catchUpWithClock(stored, now, firstOccurrence);
      if (!isReplacing) throw scheduleExists(name, differences);
      return redefine(stored, definition, now, firstOccurrence);
    });
  }

  /** Resolves with null for a schedule that is not there. */
  async find(idOrName: string): Promise<ScheduleReference | null> {
    const { storage } = this.#params.source();
    if (typeof idOrName !== 'string') {
      throw invalid(`getSchedule was given ${describeValue(idOrName)}: pass the id or the name of a schedule`);
    }
    return (await storage.getSchedule({ idOrName })).schedule;
  }

  async list(query: ListSchedulesQuery): Promise<ScheduleList> {
    const { storage } = this.#params.source();
    const { schedules, total } = await storage.listSchedules(resolveListSchedulesQuery(query));
    return { schedules: schedules.map(toScheduleOverview), total };
  }

  async readDetails(id: string): Promise<ScheduleDetails> {
    const { schedule } = await this.#params.source().storage.getSchedule({ idOrName: id });
    if (schedule === null) throw scheduleNotFound(id);
    return toScheduleDetails(schedule);
  }

  async update(id: string, change: ScheduleChange): Promise<void> {
    const store = this.#store();
    assertScheduleChange(change);
    const args = encodeArgs(change.args, this.#params.maxPayloadBytes);
    const firstOccurrence = await loadFirstOccurrence();
    await this.#change(store, id, (stored, now) => {
      const definition = { ...applyToRule(ruleOf(stored), change), args: args ?? stored.args };
      assertCatchUpSize(definition);
      if (describeDifferences(stored, definition, []) === null) return null;
      return redefine(stored, definition, now, firstOccurrence);
    });
  }

  async pause(id: string): Promise<void> {
    await this.#change(this.#store(), id, pause);
  }

  async resume(id: string): Promise<void> {
    const store = this.#store();
    await this.#change(store, id, resumeBy(await loadFirstOccurrence()));
  }

  /** Resolves with false if it was deleted before. */
  async delete(id: string): Promise<boolean> {
    return (await changeSchedule(this.#store(), id, remove)) !== null;
  }

  async preview(options: PreviewOptions, count: number): Promise<number[]> {
    assertKeys('previewSchedule', options, new Set(['cron', 'timezone']));
    assertNumber('the number of occurrences', count, 1, MAX_PREVIEW, true);
    const { parseRecurrence } = await import('../core/schedule.ts');
    const recurrence = parseRecurrence(options.cron, 'timezone' in options ? options.timezone : 'UTC');
    return recurrence.firstOf(this.#params.runtime.now(), Number.POSITIVE_INFINITY, count);
  }

  /** Throws while the client is not started. */
  #store(): ScheduleStore {
    const { source, ids } = this.#params;
    return { storage: source().storage, ids };
  }

  async #change(store: ScheduleStore, id: string, decide: Decide): Promise<void> {
    if ((await changeSchedule(store, id, decide)) === null) throw scheduleNotFound(id);
  }
}

/** By a clock that was ahead for a while, what comes next may be noted for long after it comes. */
function catchUpWithClock(stored: ScheduleRecord, now: number, firstOccurrence: FirstOccurrence): Decision | null {
  const { state, nextRunAt, cron, timezone } = stored;
  if (state !== 'active' || nextRunAt === null || nextRunAt <= now) return null;
  const first = firstOccurrence(cron, timezone, now);
  return first < nextRunAt ? { definition: definitionOf(stored), state, nextRunAt: first } : null;
}

/** What is made up for is stored in one step. */
function assertCatchUpSize({ catchUp, catchUpLimit, args }: ScheduleDefinition): void {
  const bytes = catchUpLimit * args.bytes.length;
  if (catchUp !== 'all' || bytes <= LIMITS.batchBytes) return;
  throw new ReseolioError(
    'payload_too_large',
    `${catchUpLimit} jobs that are made up for take ${bytes} bytes; the limit is ${LIMITS.batchBytes}: lower catchUpLimit`,
  );
}

function encodeArgs(args: unknown, maxBytes: number): Payload | null {
  if (args === undefined) return null;
  if (!Array.isArray(args)) throw invalid(`args is ${describeValue(args)}: pass the arguments as an array`);
  return encodePayload(args, 'args', maxBytes);
}

function invalid(message: string): ReseolioError {
  return new ReseolioError('invalid_argument', message);
}

function scheduleExists(name: string, differences: string): ReseolioError {
  return new ReseolioError(
    'schedule_exists',
    `there is a schedule ${name} that says something else (${differences}): pass replace: true, or another name`,
  );
}
