import type {
  Occurrence,
  ScheduleDefinition,
  ScheduleRecord,
  ScheduleState,
  ScheduleSummary,
} from './schedule-record.ts';

/** What the schedule methods of a {@link Storage} take and answer. */
export interface CreateScheduleParams {
  readonly schedule: NewSchedule;
}

export interface NewSchedule {
  /** A UUIDv7 made by the caller. A known id is the repeat of a creation whose outcome was unknown. */
  readonly id: string;
  readonly name: string;
  readonly definition: ScheduleDefinition;
  /** Unix milliseconds; null: none is to come. */
  readonly nextRunAt: number | null;
}

export interface CreateScheduleResult {
  /** The new schedule, or the one that has its name. */
  readonly schedule: ScheduleRecord;
  readonly isNew: boolean;
}

export interface GetScheduleParams {
  readonly idOrName: string;
}

export interface GetScheduleResult {
  readonly schedule: ScheduleRecord | null;
  /** What the storage's clock reads, Unix milliseconds: what comes next is counted from here. */
  readonly now: number;
}

export interface ListSchedulesParams {
  readonly states: readonly ScheduleState[];
  readonly limit: number;
  readonly offset: number;
}

export interface ListSchedulesResult {
  readonly schedules: ScheduleSummary[];
  readonly total: number;
}

export interface UpdateScheduleParams {
  readonly id: string;
  /** Nothing is changed unless this is the revision that is stored. */
  readonly revision: number;
  readonly definition: ScheduleDefinition;
  readonly state: ScheduleState;
  /** Null unless `state` is active; callers see to it. */
  readonly nextRunAt: number | null;
}

export type UpdateScheduleResult =
  | { readonly status: 'changed'; readonly schedule: ScheduleRecord }
  /** The schedule has another revision by now; nothing was changed. A repeat of a change that took effect may be told so. */
  | { readonly status: 'conflict' }
  /** It is not there, or was deleted, which is for good. */
  | { readonly status: 'not_found' };

export interface ListDueSchedulesParams {
  readonly limit: number;
}

export interface ListDueSchedulesResult {
  /** Active schedules whose `nextRunAt` has come, the earliest first; ties go by id. */
  readonly schedules: ScheduleSummary[];
  /** What the storage's clock reads, Unix milliseconds. */
  readonly now: number;
  /** Milliseconds until the next schedule that is not among these is due, 0 if it is; null if there is none. */
  readonly nextDueInMs: number | null;
}

export interface FireSchedulesParams {
  /** No two of one schedule. Their jobs are enqueued in this order. */
  readonly firings: readonly ScheduleFiring[];
}

export interface ScheduleFiring {
  readonly scheduleId: string;
  /** Nothing happens unless this is the revision that is stored. */
  readonly revision: number;
  /** In the order of their occurrences, due from then on; what else they are is the schedule's. None: only go on. */
  readonly jobs: readonly OccurrenceJob[];
  readonly nextRunAt: number | null;
}

export interface OccurrenceJob extends Pick<Occurrence, 'dueAt'> {
  /** A UUIDv7 made by the caller. */
  readonly id: string;
}

/**
 * `fired`: the jobs are stored. `overlapped`: the schedule skips overlaps, and its last job has not ended; no job was
 * made, but the schedule went on. `stale`: the revision is another, or somebody else is at it, or it is not active; nothing
 * happened. So is a repeat of a firing that took effect.
 */
export type FiringStatus = 'fired' | 'overlapped' | 'stale';
