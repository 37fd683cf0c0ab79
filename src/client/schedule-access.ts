import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import { assertNumber, describeValue, type JobOptions } from '../core/options.ts';
import { decodePayload, encodePayload, type Payload } from '../core/payload.ts';
import type { Runtime } from '../core/runtime.ts';
import {
  definitionOf,
  ruleOf,
  type ScheduleDefinition,
  type ScheduleRecord,
  type ScheduleState,
  type ScheduleSummary,
} from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import { assertKeys } from './client-options.ts';
import type { JobSource } from './job-access.ts';
import { describeDifferences } from './schedule-differences.ts';
import { ScheduleHandle } from './schedule-handle.ts';
import {
  applyToRule,
  assertScheduleChange,
  type ListSchedulesQuery,
  resolveListSchedulesQuery,
  resolveScheduleOptions,
  type ScheduleChange,
  type ScheduleOptions,
} from './schedule-options.ts';

/** A schedule as lists show it, without its arguments. Times are Unix milliseconds on the storage's clock. */
export interface ScheduleOverview
  extends Omit<ScheduleSummary, 'state' | 'jobName' | 'options' | 'priority' | 'revision'> {
  readonly status: ScheduleState;
  /** The function whose jobs it makes. */
  readonly functionName: string;
  /** Options of its jobs. */
  readonly handlerOptions: JobOptions & { readonly priority: number };
}

export interface ScheduleDetails extends ScheduleOverview {
  readonly args: readonly unknown[];
}

/** A page of schedules. */
export interface ScheduleList {
  readonly schedules: ScheduleOverview[];
  /** How many schedules there are in this status, on all pages. */
  readonly total: number;
}

export interface PreviewOptions {
  readonly cron: string;
  /** Default `UTC`. */
  readonly timezone?: string;
}

export interface ScheduleAccessParams {
  /** Throws while the client is not started. */
  readonly source: () => JobSource;
  readonly ids: JobIdGenerator;
  readonly runtime: Pick<Runtime, 'now'>;
  readonly maxPayloadBytes: number;
}

/** A change meets a firing, or another change, at times; it does so again and again only if something is wrong. */
const MAX_TRIES = 100;
const MAX_PREVIEW = 1000;

/** What is to become of a schedule; null: it is that already. */
type Decide = (stored: ScheduleRecord, now: number) => Decision | null;
type Decision = Readonly<{ definition: ScheduleDefinition; state: ScheduleState; nextRunAt: number | null }>;

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
  ): Promise<ScheduleHandle> {
    const { source, ids, runtime, maxPayloadBytes } = this.#params;
    const { storage } = source();
    const { name, rule, isReplacing } = resolveScheduleOptions(given, jobName, base);
    const definition: ScheduleDefinition = { ...rule, args: encodePayload(args, 'args', maxPayloadBytes) };
    const firstOccurrence = await loadFirstOccurrence();
    firstOccurrence(rule.cron, rule.timezone, runtime.now());
    const id = ids.next();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { schedule: stored, now } = await storage.getSchedule({ idOrName: name });
      if (stored === null || stored.state === 'deleted') {
        const nextRunAt = firstOccurrence(rule.cron, rule.timezone, now);
        const { isNew, schedule } = await storage.createSchedule({ schedule: { id, name, definition, nextRunAt } });
        if (isNew) return this.handleOf(schedule);
        continue;
      }
      const differences = describeDifferences(stored, definition);
      if (differences === null) return this.handleOf(stored);
      if (!isReplacing) throw scheduleExists(name, differences);
      const decision = redefine(stored, definition, now, firstOccurrence);
      const { id: storedId, revision } = stored;
      const { status } = await storage.updateSchedule({ id: storedId, revision, ...decision });
      if (status === 'changed') return this.handleOf(stored);
    }
    throw changedTooOften(name);
  }

  handleOf({ id, name }: Pick<ScheduleSummary, 'id' | 'name'>): ScheduleHandle {
    return new ScheduleHandle(this, id, name);
  }

  /** Resolves with null for a schedule that is not there. */
  async find(idOrName: string): Promise<ScheduleHandle | null> {
    const { storage } = this.#params.source();
    if (typeof idOrName !== 'string') {
      throw invalid(`getSchedule was given ${describeValue(idOrName)}: pass the id or the name of a schedule`);
    }
    const { schedule } = await storage.getSchedule({ idOrName });
    return schedule === null ? null : this.handleOf(schedule);
  }

  async list(query: ListSchedulesQuery): Promise<ScheduleList> {
    const { storage } = this.#params.source();
    const { schedules, total } = await storage.listSchedules(resolveListSchedulesQuery(query));
    return { schedules: schedules.map(toOverview), total };
  }

  async readDetails(id: string): Promise<ScheduleDetails> {
    const { args: payload, ...summary } = await this.#read(this.#params.source().storage, id);
    const args = decodePayload(payload);
    return { ...toOverview(summary), args: Array.isArray(args) ? args : [args] };
  }

  async update(id: string, change: ScheduleChange): Promise<void> {
    const { storage } = this.#params.source();
    assertScheduleChange(change);
    const args = encodeArgs(change.args, this.#params.maxPayloadBytes);
    const firstOccurrence = await loadFirstOccurrence();
    await this.#change(storage, id, (stored, now) => {
      const definition = { ...applyToRule(ruleOf(stored), change), args: args ?? stored.args };
      if (describeDifferences(stored, definition) === null) return null;
      return redefine(stored, definition, now, firstOccurrence);
    });
  }

  async pause(id: string): Promise<void> {
    await this.#change(this.#params.source().storage, id, (stored) =>
      stored.state === 'paused' ? null : { definition: definitionOf(stored), state: 'paused', nextRunAt: null },
    );
  }

  async resume(id: string): Promise<void> {
    const { storage } = this.#params.source();
    const firstOccurrence = await loadFirstOccurrence();
    await this.#change(storage, id, (stored, now) => {
      if (stored.state === 'active') return null;
      const nextRunAt = firstOccurrence(stored.cron, stored.timezone, now);
      return { definition: definitionOf(stored), state: 'active', nextRunAt };
    });
  }

  /** Resolves with false if it was deleted before. */
  async delete(id: string): Promise<boolean> {
    return this.#tryChange(this.#params.source().storage, id, (stored) => ({
      definition: definitionOf(stored),
      state: 'deleted',
      nextRunAt: null,
    }));
  }

  async preview(options: PreviewOptions, count: number): Promise<number[]> {
    assertKeys('previewSchedule', options, new Set(['cron', 'timezone']));
    assertNumber('the number of occurrences', count, 1, MAX_PREVIEW, true);
    const { parseRecurrence } = await import('../core/schedule.ts');
    const timezone = 'timezone' in options ? options.timezone : 'UTC';
    const recurrence = parseRecurrence(options.cron, timezone);
    return recurrence.firstOf(this.#params.runtime.now(), Number.POSITIVE_INFINITY, count);
  }

  async #read(storage: Storage, id: string): Promise<ScheduleRecord> {
    const { schedule } = await storage.getSchedule({ idOrName: id });
    if (schedule === null) throw scheduleNotFound(id, 'is not there');
    return schedule;
  }

  async #change(storage: Storage, id: string, decide: Decide): Promise<void> {
    if (!(await this.#tryChange(storage, id, decide))) throw scheduleNotFound(id, 'was deleted');
  }

  /** Decides on what is stored and carries it out, anew whenever somebody else was faster. False: it is deleted. */
  async #tryChange(storage: Storage, id: string, decide: Decide): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { schedule: stored, now } = await storage.getSchedule({ idOrName: id });
      if (stored === null) throw scheduleNotFound(id, 'is not there');
      if (stored.state === 'deleted') return false;
      const decision = decide(stored, now);
      if (decision === null) return true;
      const { status } = await storage.updateSchedule({ id, revision: stored.revision, ...decision });
      if (status === 'changed') return true;
    }
    throw changedTooOften(id);
  }
}

type FirstOccurrence = (cron: string, timezone: string, after: number) => number;

/** What parses expressions is loaded when a schedule is used. */
async function loadFirstOccurrence(): Promise<FirstOccurrence> {
  const { firstOccurrence } = await import('../core/schedule.ts');
  return firstOccurrence;
}

/** What comes next is counted anew if it is due at other times. */
function redefine(
  stored: ScheduleRecord,
  definition: ScheduleDefinition,
  now: number,
  firstOccurrence: FirstOccurrence,
): Decision {
  const { state, cron, timezone } = stored;
  const isSame = definition.cron === cron && definition.timezone === timezone;
  const nextRunAt = isSame ? stored.nextRunAt : firstOccurrence(definition.cron, definition.timezone, now);
  return { definition, state, nextRunAt: state === 'active' ? nextRunAt : null };
}

function encodeArgs(args: unknown, maxBytes: number): Payload | null {
  if (args === undefined) return null;
  if (!Array.isArray(args)) throw invalid(`args is ${describeValue(args)}: pass the arguments as an array`);
  return encodePayload(args, 'args', maxBytes);
}

function toOverview({
  state,
  jobName,
  options,
  priority,
  revision: _revision,
  ...rest
}: ScheduleSummary): ScheduleOverview {
  return { ...rest, status: state, functionName: jobName, handlerOptions: { ...options, priority } };
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

function scheduleNotFound(id: string, what: string): ReseolioError {
  return new ReseolioError('schedule_not_found', `schedule ${id} ${what}: make it anew`);
}

function changedTooOften(idOrName: string): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `schedule ${idOrName} was changed by others ${MAX_TRIES} times in a row: try again`,
  );
}
