import assert from 'node:assert/strict';
import { DEFAULT_JOB_OPTIONS } from '../core/options.ts';
import { encodePayload } from '../core/payload.ts';
import type {
  CreateScheduleResult,
  FiringStatus,
  ListDueSchedulesResult,
  ListSchedulesResult,
  NewSchedule,
  ScheduleFiring,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from '../core/schedule-operations.ts';
import {
  definitionOf,
  SCHEDULE_STATES,
  type ScheduleDefinition,
  type ScheduleRecord,
  type ScheduleState,
} from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import { type ComparablePayload, comparablePayload, type RuleContext } from './rule-context.ts';

export type ComparableSchedule = Omit<ScheduleRecord, 'args'> & Readonly<{ args: ComparablePayload }>;

/** What a rule says about a schedule; the rest is filled in. */
export type ScheduleDraft = Partial<Omit<NewSchedule, 'definition'>> & {
  readonly definition?: Partial<ScheduleDefinition>;
};

/** What a rule changes of a schedule; the rest stays as it is stored. */
export type ScheduleChange = Partial<Omit<UpdateScheduleParams, 'id' | 'definition'>> & {
  readonly definition?: Partial<ScheduleDefinition>;
};

/** Short ways to say what rules about schedules say. */
export class ScheduleContext {
  readonly #rule: RuleContext;
  #names = 0;

  constructor(rule: RuleContext) {
    this.#rule = rule;
  }

  get storage(): Storage {
    return this.#rule.storage;
  }

  newSchedule(draft: ScheduleDraft = {}): NewSchedule {
    return {
      id: this.#rule.nextId(),
      name: `schedule-${++this.#names}`,
      nextRunAt: this.#rule.now() + 1000,
      ...draft,
      definition: {
        jobName: 'task',
        cron: '* * * * *',
        timezone: 'UTC',
        options: DEFAULT_JOB_OPTIONS,
        priority: 0,
        catchUp: 'latest',
        catchUpLimit: 100,
        overlap: 'allow',
        args: encodePayload([1], 'args'),
        ...draft.definition,
      },
    };
  }

  async create(draft: ScheduleDraft = {}): Promise<CreateScheduleResult> {
    return this.storage.createSchedule({ schedule: this.newSchedule(draft) });
  }

  /** Makes a schedule, and gives its id. */
  async createId(draft: ScheduleDraft = {}): Promise<string> {
    const { schedule, isNew } = await this.create(draft);
    assert.ok(isNew, 'the name should be free');
    return schedule.id;
  }

  /** The schedule, which must be there. */
  async get(idOrName: string): Promise<ScheduleRecord> {
    const { schedule } = await this.storage.getSchedule({ idOrName });
    assert.ok(schedule !== null, `schedule ${idOrName} should be stored`);
    return schedule;
  }

  /** The same with its arguments in a form that compares. */
  async read(idOrName: string): Promise<ComparableSchedule> {
    return comparableSchedule(await this.get(idOrName));
  }

  async update(id: string, change: ScheduleChange): Promise<UpdateScheduleResult> {
    const stored = await this.get(id);
    const { definition, ...rest } = change;
    return this.storage.updateSchedule({
      id,
      revision: stored.revision,
      state: stored.state,
      nextRunAt: stored.nextRunAt,
      ...rest,
      definition: { ...definitionOf(stored), ...definition },
    });
  }

  /** Brings an active schedule to `state`. */
  async changeState(id: string, state: ScheduleState): Promise<void> {
    assert.equal((await this.update(id, { state, nextRunAt: null })).status, 'changed');
  }

  async listDue(limit = 100): Promise<ListDueSchedulesResult> {
    return this.storage.listDueSchedules({ limit });
  }

  async dueIds(limit = 100): Promise<string[]> {
    return (await this.listDue(limit)).schedules.map(({ id }) => id);
  }

  /** A firing of the schedule as it is stored, with one job for its next occurrence. */
  async firing(id: string, draft: Partial<ScheduleFiring> = {}): Promise<ScheduleFiring> {
    const { revision, nextRunAt } = await this.get(id);
    const dueAt = nextRunAt ?? this.#rule.now();
    return {
      scheduleId: id,
      revision,
      jobs: [{ id: this.#rule.nextId(), dueAt }],
      nextRunAt: dueAt + 60_000,
      ...draft,
    };
  }

  async fire(firing: ScheduleFiring, storage = this.storage): Promise<FiringStatus> {
    const [status] = await storage.fireSchedules({ firings: [firing] });
    assert.ok(status !== undefined, 'fireSchedules answers each firing');
    return status;
  }

  async list(
    states: readonly ScheduleState[] = SCHEDULE_STATES,
    limit = 100,
    offset = 0,
  ): Promise<ListSchedulesResult> {
    return this.storage.listSchedules({ states, limit, offset });
  }
}

export function comparableSchedule(schedule: ScheduleRecord): ComparableSchedule {
  return { ...schedule, args: comparablePayload(schedule.args) };
}
