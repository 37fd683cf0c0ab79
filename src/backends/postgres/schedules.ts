import { isJobId } from '../../core/job-id.ts';
import type {
  CreateScheduleParams,
  CreateScheduleResult,
  FireSchedulesParams,
  FiringStatus,
  GetScheduleParams,
  GetScheduleResult,
  ListDueSchedulesParams,
  ListDueSchedulesResult,
  ListSchedulesParams,
  ListSchedulesResult,
  ScheduleFiring,
  UpdateScheduleParams,
  UpdateScheduleResult,
} from '../../core/schedule-operations.ts';
import type { ScheduleDefinition, ScheduleRecord } from '../../core/schedule-record.ts';
import type { Connections, RunTrace } from './connections.ts';
import type { CountFolder } from './count-folder.ts';
import type { Hints } from './hints.ts';
import { laneOfRow } from './job-columns.ts';
import type { Lanes } from './lanes.ts';
import { createScheduleQuery, updateScheduleQuery } from './operations/change-schedules.ts';
import { fireSchedulesQuery, planFirings } from './operations/fire-schedules.ts';
import {
  getScheduleQuery,
  listDueSchedulesQuery,
  listSchedulesQuery,
  readDueSchedules,
} from './operations/read-schedules.ts';
import type { CommitSetting, Row } from './query.ts';
import { readScheduleRecord, readScheduleSummary, SCHEDULE_RECORD_LENGTH } from './schedule-columns.ts';

export interface SchedulesParams {
  readonly connections: Pick<Connections, 'run' | 'runOnce'>;
  readonly lanes: Lanes;
  readonly hints: Pick<Hints, 'postWork' | 'postSchedules'>;
  readonly folder: Pick<CountFolder, 'note'>;
  readonly commit: CommitSetting;
}

/** Schedules: what users wait for is tried again, what the loop that fires them asks goes to the server once. */
export class Schedules {
  readonly #params: SchedulesParams;

  constructor(params: SchedulesParams) {
    this.#params = params;
  }

  async create(params: CreateScheduleParams): Promise<CreateScheduleResult> {
    const { connections, lanes, hints, commit } = this.#params;
    const rows = await this.#withLane(params.schedule.definition, () =>
      connections.run(() => createScheduleQuery(params, lanes, commit)),
    );
    const schedule = await this.#read(rows[0] as Row);
    const isNew = schedule.id === params.schedule.id;
    if (isNew) hints.postSchedules();
    return { schedule, isNew };
  }

  async get(params: GetScheduleParams): Promise<GetScheduleResult> {
    const [row = []] = await this.#params.connections.run(getScheduleQuery(params));
    return { schedule: isFound(row) ? await this.#read(row) : null, now: Number(row[SCHEDULE_RECORD_LENGTH]) };
  }

  async list(params: ListSchedulesParams): Promise<ListSchedulesResult> {
    const { connections, lanes } = this.#params;
    const rows = await connections.run(listSchedulesQuery(params));
    const found = rows.filter(isFound);
    await lanes.learn(found.map(laneOfRow));
    return { schedules: found.map((row) => readScheduleSummary(row, lanes)), total: Number(rows[0]?.at(-1)) };
  }

  async update(params: UpdateScheduleParams): Promise<UpdateScheduleResult> {
    const { connections, lanes, hints, commit } = this.#params;
    if (!isJobId(params.id)) return { status: 'not_found' };
    const trace: RunTrace = { isRepeated: false };
    const [row] = await this.#withLane(params.definition, () =>
      connections.run(() => updateScheduleQuery(params, lanes, commit), trace),
    );
    if (row === undefined) return { status: 'not_found' };
    const status = row[SCHEDULE_RECORD_LENGTH];
    // What a try changed whose answer was lost is found as it left it.
    if (status !== 'changed' && !(status === 'same' && trace.isRepeated)) return { status: 'conflict' };
    hints.postSchedules();
    return { status: 'changed', schedule: await this.#read(row) };
  }

  async listDue(params: ListDueSchedulesParams): Promise<ListDueSchedulesResult> {
    const { connections, lanes } = this.#params;
    const rows = await connections.runOnce(listDueSchedulesQuery(params));
    await lanes.learn(rows.slice(0, -1).map(laneOfRow));
    return readDueSchedules(rows, lanes);
  }

  async fire({ firings }: FireSchedulesParams): Promise<FiringStatus[]> {
    const { connections, commit } = this.#params;
    const statuses = firings.map((): FiringStatus => 'stale');
    for (const places of planFirings(firings)) {
      const planned = places.map((place) => firings[place] as ScheduleFiring);
      const rows = await connections.runOnce(fireSchedulesQuery(planned, commit));
      const lanes = new Set<number>();
      for (const [index, lane, isOverlapped] of rows) {
        const place = places[Number(index) - 1] as number;
        statuses[place] = isOverlapped === 't' ? 'overlapped' : 'fired';
        if (statuses[place] === 'fired' && firings[place]?.jobs.length !== 0) lanes.add(Number(lane));
      }
      await this.#tellWork([...lanes]);
    }
    return statuses;
  }

  /** Writes a schedule whose jobs have a lane. */
  async #withLane({ jobName, priority }: ScheduleDefinition, write: () => Promise<Row[]>): Promise<Row[]> {
    return this.#params.lanes.using([{ name: jobName, priority }], write);
  }

  async #read(row: Row): Promise<ScheduleRecord> {
    await this.#params.lanes.learn([laneOfRow(row)]);
    return readScheduleRecord(row, this.#params.lanes);
  }

  async #tellWork(laneIds: readonly number[]): Promise<void> {
    const { lanes, hints, folder } = this.#params;
    await lanes.learn(laneIds);
    const names = new Set(laneIds.map((id) => lanes.read(id).name));
    hints.postWork([...names]);
    folder.note(names.size);
  }
}

/** False for the nulls of an outer join that found nothing. */
function isFound([id]: Row): boolean {
  return typeof id === 'string';
}
