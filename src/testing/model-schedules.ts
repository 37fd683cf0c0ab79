import assert from 'node:assert/strict';
import { encodePayload } from '../core/payload.ts';
import type { ListDueSchedulesResult, NewSchedule, ScheduleFiring } from '../core/schedule-operations.ts';
import { SCHEDULE_STATES, type ScheduleRecord, type ScheduleSummary } from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import { KnownItems } from './known-items.ts';
import type { ContentSpec, FiringSpec, ScheduleOperation } from './model-schedule-operation.ts';
import type { RuleContext } from './rule-context.ts';
import { comparableSchedule, ScheduleContext } from './schedule-context.ts';
import type { StoragePair } from './storage-pair.ts';

const LIST_PAGE = 20;
/** More than there are schedules in a run. */
const ALL = 100_000;

export interface ModelSchedulesParams {
  readonly pair: StoragePair;
  readonly context: RuleContext;
  /** Where the jobs that firings ask for are added, stored or not: those of a stale one are not there. */
  readonly jobIds: KnownItems<string>;
}

/** What a random run does to schedules. */
export class ModelSchedules {
  readonly #pair: StoragePair;
  readonly #context: RuleContext;
  readonly #jobIds: KnownItems<string>;
  readonly #schedules: ScheduleContext;
  /** Those that were to be made, stored or not: those that lost to a name are not there. */
  readonly #known = new KnownItems<NewSchedule>();

  constructor({ pair, context, jobIds }: ModelSchedulesParams) {
    this.#pair = pair;
    this.#context = context;
    this.#jobIds = jobIds;
    this.#schedules = new ScheduleContext(context);
  }

  async apply(operation: ScheduleOperation): Promise<void> {
    switch (operation.kind) {
      case 'createSchedule': {
        const schedule = this.#schedules.newSchedule({ name: operation.name, ...this.#contentOf(operation.content) });
        this.#known.add(schedule);
        return this.#pair.compare((storage) => createSchedule(storage, schedule));
      }
      case 'createScheduleAgain': {
        const schedule = this.#known.fromNewest(operation.schedule);
        return schedule === null ? undefined : this.#pair.compare((storage) => createSchedule(storage, schedule));
      }
      case 'getSchedule': {
        const schedule = this.#known.fromNewest(operation.schedule);
        const idOrName = (operation.isByName ? schedule?.name : schedule?.id) ?? 'nobody';
        return this.#pair.compare((storage) => getSchedule(storage, idOrName));
      }
      case 'listSchedules':
        return this.#pair.compare((storage) => storage.listSchedules(operation));
      case 'updateSchedule':
        return this.#update(operation);
      case 'listDue':
        return this.#listDue(operation.limit);
      case 'fire':
        return this.#fire(operation.firings);
    }
  }

  /** Compares all that both storages hold of schedules. */
  async compareEverything(): Promise<void> {
    await this.#pair.compare(listAll);
    await this.#listDue(LIST_PAGE);
    const idsAndNames = new Set(this.#known.all.flatMap(({ id, name }) => [id, name]));
    for (const idOrName of idsAndNames) await this.#pair.compare((storage) => getSchedule(storage, idOrName));
  }

  async #update(operation: Extract<ScheduleOperation, { kind: 'updateSchedule' }>): Promise<void> {
    const known = this.#known.fromNewest(operation.schedule);
    if (known === null) return;
    const stored = await this.#stored(known.id);
    // What is deleted stays so, and only what is active has something to come.
    const state = stored?.state === 'deleted' ? 'deleted' : operation.state;
    const { definition, nextRunAt } = this.#contentOf(operation.content);
    const params = {
      id: known.id,
      revision: revisionOf(stored, operation.isStale),
      definition,
      state,
      nextRunAt: state === 'active' ? nextRunAt : null,
    };
    await this.#pair.compare(async (storage) => {
      const result = await storage.updateSchedule(params);
      return result.status === 'changed' ? { ...result, schedule: comparableSchedule(result.schedule) } : result;
    });
  }

  async #listDue(limit: number): Promise<void> {
    const all = await this.#pair.model.listDueSchedules({ limit: ALL });
    const { expected, actual } = await this.#pair.ask((storage) => storage.listDueSchedules({ limit }));
    assert.deepEqual(toTimes(actual), toTimes(expected));
    // Which of several that became due at once goes first is left open.
    const listed = new Set(actual.schedules.map(({ id }) => id));
    const wanted = all.schedules.filter(({ id }) => listed.has(id));
    assert.deepEqual(actual.schedules.toSorted(compareIds), wanted.toSorted(compareIds));
  }

  async #fire(specs: readonly FiringSpec[]): Promise<void> {
    const firings = new Map<string, ScheduleFiring>();
    for (const spec of specs) {
      const scheduleId = this.#known.fromNewest(spec.schedule)?.id;
      // No two of one schedule.
      if (scheduleId !== undefined && !firings.has(scheduleId)) {
        firings.set(scheduleId, this.#firingOf(spec, await this.#stored(scheduleId), scheduleId));
      }
    }
    const params = { firings: [...firings.values()] };
    this.#jobIds.add(...params.firings.flatMap(({ jobs }) => jobs.map(({ id }) => id)));
    await this.#pair.compare((storage) => storage.fireSchedules(params));
  }

  #firingOf(spec: FiringSpec, stored: ScheduleRecord | null, scheduleId: string): ScheduleFiring {
    // One that is not active is not listed as due, so whoever fires it knows it as it was before.
    const isStale = spec.isStale || stored?.state !== 'active';
    return {
      scheduleId,
      revision: revisionOf(stored, isStale),
      jobs: spec.dueOffsetsMs.map((offsetMs) => ({ id: this.#context.nextId(), dueAt: this.#pair.now() + offsetMs })),
      nextRunAt: this.#timeOf(spec.nextRunOffsetMs),
    };
  }

  async #stored(id: string): Promise<ScheduleRecord | null> {
    return (await this.#pair.model.getSchedule({ idOrName: id })).schedule;
  }

  #contentOf({
    nextRunOffsetMs,
    maxAttempts,
    argChars,
    ...rule
  }: ContentSpec): Pick<NewSchedule, 'nextRunAt' | 'definition'> {
    const { definition } = this.#schedules.newSchedule({
      definition: { ...rule, args: encodePayload(['x'.repeat(argChars)], 'args') },
    });
    const options = { ...definition.options, maxAttempts };
    return { nextRunAt: this.#timeOf(nextRunOffsetMs), definition: { ...definition, options } };
  }

  #timeOf(offsetMs: number | null): number | null {
    return offsetMs === null ? null : this.#pair.now() + offsetMs;
  }
}

function revisionOf(stored: ScheduleRecord | null, isStale: boolean): number {
  return (stored?.revision ?? 1) - (isStale ? 1 : 0);
}

function toTimes({ schedules, ...times }: ListDueSchedulesResult): unknown {
  return { ...times, nextRuns: schedules.map(({ nextRunAt }) => nextRunAt) };
}

function compareIds(a: ScheduleSummary, b: ScheduleSummary): number {
  return a.id < b.id ? -1 : 1;
}

async function createSchedule(storage: Storage, schedule: NewSchedule): Promise<unknown> {
  const result = await storage.createSchedule({ schedule });
  return { ...result, schedule: comparableSchedule(result.schedule) };
}

async function getSchedule(storage: Storage, idOrName: string): Promise<unknown> {
  const { schedule, now } = await storage.getSchedule({ idOrName });
  return { now, schedule: schedule === null ? null : comparableSchedule(schedule) };
}

async function listAll(storage: Storage): Promise<unknown> {
  const pages: unknown[] = [];
  for (let offset = 0; ; offset += LIST_PAGE) {
    const page = await storage.listSchedules({ states: SCHEDULE_STATES, limit: LIST_PAGE, offset });
    pages.push(page);
    if (page.schedules.length < LIST_PAGE) return pages;
  }
}
