import {
  CATCH_UPS,
  OVERLAPS,
  SCHEDULE_STATES,
  type ScheduleRule,
  type ScheduleState,
} from '../core/schedule-record.ts';
import type { Digits } from './digits.ts';
import { MODEL_NAMES } from './model-names.ts';

/** A step of a random run that is about schedules, which are meant by numbers as jobs are. */
export type ScheduleOperation =
  | { readonly kind: 'createSchedule'; readonly name: string; readonly content: ContentSpec }
  | { readonly kind: 'createScheduleAgain'; readonly schedule: number }
  | { readonly kind: 'getSchedule'; readonly schedule: number; readonly isByName: boolean }
  | {
      readonly kind: 'listSchedules';
      readonly states: readonly ScheduleState[];
      readonly limit: number;
      readonly offset: number;
    }
  | {
      readonly kind: 'updateSchedule';
      readonly schedule: number;
      readonly isStale: boolean;
      readonly state: ScheduleState;
      readonly content: ContentSpec;
    }
  | { readonly kind: 'listDue'; readonly limit: number }
  | { readonly kind: 'fire'; readonly firings: readonly FiringSpec[] };

/** What a schedule is to say, and when it is due. */
export interface ContentSpec extends Pick<ScheduleRule, 'jobName' | 'overlap' | 'catchUp' | 'priority'> {
  readonly maxAttempts: number;
  /** How long its argument is. */
  readonly argChars: number;
  /** Against the clock of the moment; null: none is to come. */
  readonly nextRunOffsetMs: number | null;
}

export interface FiringSpec {
  readonly schedule: number;
  readonly isStale: boolean;
  /** When the jobs are due, against the clock of the moment. */
  readonly dueOffsetsMs: readonly number[];
  readonly nextRunOffsetMs: number | null;
}

/** Few, so that schedules meet. */
const SCHEDULE_NAMES = ['nightly', 'nightly:eu', 'é', 'a', 'b'] as const;
const NEXT_RUNS_MS = [0, 1000, 50, null, -100.5, 5000] as const;
/** The occurrences of one firing lie this far apart. */
const PERIOD_MS = 40.25;

export function decodeScheduleOperation(kind: ScheduleOperation['kind'], digits: Digits): ScheduleOperation {
  switch (kind) {
    case 'createSchedule':
      return { kind, name: digits.pick(SCHEDULE_NAMES), content: drawContent(digits) };
    case 'createScheduleAgain':
      return { kind, schedule: digits.take(8) };
    case 'getSchedule':
      return { kind, schedule: digits.take(8), isByName: digits.take(2) === 1 };
    case 'listSchedules':
      return {
        kind,
        states: digits.pick([SCHEDULE_STATES, ['active'], ['deleted', 'active'], ['paused'], []]),
        limit: digits.pick([100, 2, 1]),
        offset: digits.pick([0, 1, 3]),
      };
    case 'updateSchedule':
      return {
        kind,
        schedule: digits.take(8),
        isStale: digits.take(5) === 4,
        state: digits.pick(['active', 'paused', 'deleted', 'active'] as const),
        content: drawContent(digits),
      };
    case 'listDue':
      return { kind, limit: digits.pick([100, 1, 2]) };
    case 'fire':
      return { kind, firings: digits.list(1 + digits.take(4), () => drawFiring(digits)) };
  }
}

function drawContent(digits: Digits): ContentSpec {
  return {
    jobName: digits.pick(MODEL_NAMES),
    nextRunOffsetMs: digits.pick(NEXT_RUNS_MS),
    overlap: digits.pick(OVERLAPS),
    priority: digits.pick([0, 1, -100, 100]),
    maxAttempts: digits.pick([3, 1, 2]),
    argChars: digits.pick([1, 2, 2000]),
    catchUp: digits.pick(CATCH_UPS),
  };
}

function drawFiring(digits: Digits): FiringSpec {
  const schedule = digits.take(6);
  const isStale = digits.take(6) === 5;
  const firstMs = digits.pick([0, -1000, 100, -0.5]);
  const count = digits.pick([1, 2, 0, 3]);
  return {
    schedule,
    isStale,
    dueOffsetsMs: Array.from({ length: count }, (_, i) => firstMs + i * PERIOD_MS),
    nextRunOffsetMs: digits.pick(NEXT_RUNS_MS),
  };
}
