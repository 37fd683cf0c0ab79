import type { JobOptions } from './options.ts';
import type { Payload } from './payload.ts';

/** `active` fires, `paused` does not, `deleted` never will again and can still be read. */
export const SCHEDULE_STATES = ['active', 'paused', 'deleted'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** What becomes of occurrences that came while nothing ran: see `docs/schedules.md`. */
export const CATCH_UPS = ['latest', 'all', 'skip'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** What becomes of an occurrence when the job of the one before has not ended. */
export const OVERLAPS = ['allow', 'skip'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** Which due time of which schedule a job is for. */
export interface Occurrence {
  readonly scheduleId: string;
  /** Unix milliseconds. */
  readonly dueAt: number;
}

/** What a schedule says, but for its arguments. */
export interface ScheduleRule {
  /** Of the function whose jobs it makes. */
  readonly jobName: string;
  readonly cron: string;
  /** A name of the IANA database. */
  readonly timezone: string;
  /** Those of its jobs. */
  readonly options: JobOptions;
  readonly priority: number;
  readonly catchUp: CatchUp;
  /** With `catchUp` all: no more jobs than this for what was missed. */
  readonly catchUpLimit: number;
  readonly overlap: Overlap;
}

/** All that a schedule says. */
export interface ScheduleDefinition extends ScheduleRule {
  readonly args: Payload;
}

/** A schedule without its arguments, as lists show it. Times are Unix milliseconds on the storage's clock. */
export interface ScheduleSummary extends ScheduleRule {
  readonly id: string;
  /** No two that are not deleted have the same. */
  readonly name: string;
  readonly state: ScheduleState;
  /** The occurrence that comes next, or has come and was not fired yet; null unless active, and if none is to come. */
  readonly nextRunAt: number | null;
  /** The last occurrence that a job was made for. */
  readonly lastRunAt: number | null;
  /** That job. It may have been pruned since. */
  readonly lastJobId: string | null;
  /** Counted from 1 and up with every change, firings included: what was decided on an older one is not carried out. */
  readonly revision: number;
  readonly createdAt: number;
  /** When it was last changed other than by firing. */
  readonly updatedAt: number;
}

/** A stored schedule, whole. */
export interface ScheduleRecord extends ScheduleSummary {
  readonly args: Payload;
}

export function ruleOf(schedule: ScheduleRule): ScheduleRule {
  const { jobName, cron, timezone, options, priority, catchUp, catchUpLimit, overlap } = schedule;
  return { jobName, cron, timezone, options, priority, catchUp, catchUpLimit, overlap };
}

export function definitionOf(schedule: ScheduleDefinition): ScheduleDefinition {
  return { ...ruleOf(schedule), args: schedule.args };
}
