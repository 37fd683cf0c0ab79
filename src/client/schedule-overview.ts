import type { JobOptions } from '../core/options.ts';
import { decodePayload } from '../core/payload.ts';
import type { ScheduleRecord, ScheduleState, ScheduleSummary } from '../core/schedule-record.ts';

/** A schedule as lists show it, without its arguments. Times are Unix milliseconds on the storage's clock. */
export interface ScheduleOverview
  extends Omit<ScheduleSummary, 'state' | 'jobName' | 'options' | 'priority' | 'revision'> {
  readonly status: ScheduleState;
  /** The function whose jobs it makes. */
  readonly functionName: string;
  /** Options of its jobs. */
  readonly handlerOptions: JobOptions & { readonly priority: number };
}

/** All that is known of a schedule. */
export interface ScheduleDetails extends ScheduleOverview {
  readonly args: readonly unknown[];
}

/** A page of schedules. */
export interface ScheduleList {
  readonly schedules: ScheduleOverview[];
  /** How many schedules there are in this status, on all pages. */
  readonly total: number;
}

/** Storages speak of states and job names; what users see is called as it is in calls. */
export function toScheduleOverview(summary: ScheduleSummary): ScheduleOverview {
  const { state, jobName, options, priority, revision: _revision, ...rest } = summary;
  return { ...rest, status: state, functionName: jobName, handlerOptions: { ...options, priority } };
}

export function toScheduleDetails({ args: payload, ...summary }: ScheduleRecord): ScheduleDetails {
  const args = decodePayload(payload);
  return { ...toScheduleOverview(summary), args: Array.isArray(args) ? args : [args] };
}
