import { status } from '@grpc/grpc-js';
import {
  changeSchedule,
  type Decide,
  declareSchedule,
  loadFirstOccurrence,
  pause,
  redefine,
  remove,
  resumeBy,
} from '../client/schedule-changes.ts';
import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import { assertJobName, assertNumber, describeValue, LIMITS } from '../core/options.ts';
import { definitionOf, type ScheduleDefinition, type ScheduleState } from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import { readJsonArgs } from './json-payload.ts';
import { StatusError } from './service-errors.ts';
import { readWireCron } from './wire-cron.ts';
import type {
  ChangeResponse,
  CreateScheduleRequest,
  ListSchedulesRequest,
  ListSchedulesResponse,
  ScheduleRequest,
  UpdateScheduleRequest,
  WireSchedule,
} from './wire-messages.ts';
import { readWireOptions, writeWireSchedule } from './wire-records.ts';

const DEFAULT_PAGE = 100;

export interface ScheduleCallsParams {
  readonly storage: Storage;
  readonly ids: JobIdGenerator;
  readonly maxPayloadBytes: number;
}

/** The calls of the protocol that are about schedules, each named as its function. */
export class ScheduleCalls {
  readonly #params: ScheduleCallsParams;

  constructor(params: ScheduleCallsParams) {
    this.#params = params;
  }

  async create(request: CreateScheduleRequest): Promise<WireSchedule> {
    const { maxPayloadBytes } = this.#params;
    const { name, cronExpression, timezone, handlerOptions, args } = request;
    assertJobName(name);
    const definition: ScheduleDefinition = {
      jobName: name,
      cron: readWireCron(cronExpression),
      timezone: timezone === '' ? 'UTC' : timezone,
      options: readWireOptions(handlerOptions),
      priority: 0,
      catchUp: 'latest',
      catchUpLimit: 100,
      overlap: 'allow',
      args: readJsonArgs(args, maxPayloadBytes),
    };
    const schedule = await declareSchedule(this.#params, name, definition, () => {
      throw new ReseolioError('schedule_exists', `${name} has a schedule: delete it first, or update it`);
    });
    return writeWireSchedule(schedule, schedule.args);
  }

  async get({ scheduleId }: ScheduleRequest): Promise<WireSchedule> {
    const { schedule } = await this.#params.storage.getSchedule({ idOrName: scheduleId });
    if (schedule === null) throw noSuchSchedule(scheduleId);
    return writeWireSchedule(schedule, schedule.args);
  }

  async list({ statusFilter, limit, offset }: ListSchedulesRequest): Promise<ListSchedulesResponse> {
    assertNumber('limit', limit, 0, Number.MAX_SAFE_INTEGER, true);
    assertNumber('offset', offset, 0, LIMITS.scheduleOffset, true);
    const { schedules, total } = await this.#params.storage.listSchedules({
      states: readFilter(statusFilter),
      limit: Math.min(limit === 0 ? DEFAULT_PAGE : limit, LIMITS.schedulePage),
      offset,
    });
    return { schedules: schedules.map((schedule) => writeWireSchedule(schedule, null)), total };
  }

  async update({ scheduleId, cronExpression, timezone, handlerOptions }: UpdateScheduleRequest): Promise<WireSchedule> {
    const cron = cronExpression === '' ? null : readWireCron(cronExpression);
    const options = handlerOptions === null ? null : readWireOptions(handlerOptions);
    const firstOccurrence = await loadFirstOccurrence();
    return this.#change(scheduleId, (stored, now) => {
      const definition = {
        ...definitionOf(stored),
        cron: cron ?? stored.cron,
        timezone: timezone === '' ? stored.timezone : timezone,
        options: options ?? stored.options,
      };
      return redefine(stored, definition, now, firstOccurrence);
    });
  }

  async pause({ scheduleId }: ScheduleRequest): Promise<WireSchedule> {
    return this.#change(scheduleId, pause);
  }

  async resume({ scheduleId }: ScheduleRequest): Promise<WireSchedule> {
    return this.#change(scheduleId, resumeBy(await loadFirstOccurrence()));
  }

  async delete({ scheduleId }: ScheduleRequest): Promise<ChangeResponse> {
    await this.#change(scheduleId, remove);
    return { success: true, message: `schedule ${scheduleId} is deleted` };
  }

  async #change(idOrName: string, decide: Decide): Promise<WireSchedule> {
    const changed = await changeSchedule(this.#params, idOrName, decide);
    if (changed === null) throw noSuchSchedule(idOrName);
    return writeWireSchedule(changed, changed.args);
  }
}

function readFilter(statusFilter: string): readonly ScheduleState[] {
  switch (statusFilter) {
    case '':
      return ['active', 'paused'];
    case 'active':
    case 'paused':
      return [statusFilter];
    default:
      throw new StatusError(
        status.INVALID_ARGUMENT,
        `status_filter is ${describeValue(statusFilter)}: use active, paused, or nothing for both`,
      );
  }
}

function noSuchSchedule(idOrName: string): StatusError {
  return new StatusError(status.NOT_FOUND, `there is no schedule ${describeValue(idOrName)}, or it was deleted`);
}
