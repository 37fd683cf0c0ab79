import { FINISHED_STATES, type FinishedState, JOB_STATES, type JobState } from '../core/job.ts';
import { Digits } from './digits.ts';
import { type DraftSpec, drawDraft, drawLease, type LeaseSpec } from './model-draft.ts';
import { MODEL_NAMES } from './model-names.ts';
import { decodeScheduleOperation, type ScheduleOperation } from './model-schedule-operation.ts';
import { drawSettlement, type SettlementSpec } from './model-settlements.ts';
import { decodeStepOperation, type StepOperation } from './model-step-operation.ts';

/**
 * One step of a random run. Jobs and leases are meant by numbers: the n-th of those known when the step runs, counted
 * back from the newest and round again, so that any list of operations can be run.
 */
export type ModelOperation =
  | { readonly kind: 'enqueue'; readonly jobs: readonly DraftSpec[] }
  | { readonly kind: 'enqueueAgain'; readonly job: number }
  | { readonly kind: 'claim'; readonly names: readonly string[]; readonly limit: number; readonly leaseMs: number }
  | { readonly kind: 'extend'; readonly leases: readonly LeaseSpec[]; readonly leaseMs: number }
  | { readonly kind: 'settle'; readonly settlements: readonly SettlementSpec[] }
  | { readonly kind: 'reclaim'; readonly limit: number }
  | { readonly kind: 'cancel'; readonly jobs: readonly number[]; readonly isRunningIncluded: boolean }
  | { readonly kind: 'retry' | 'read'; readonly jobs: readonly number[] }
  | { readonly kind: 'prune'; readonly state: FinishedState; readonly olderThanMs: number; readonly limit: number }
  | {
      readonly kind: 'list';
      readonly states: readonly JobState[] | null;
      readonly names: readonly string[] | null;
      readonly parent: number | null;
      readonly orderBy: 'createdAt' | 'scheduledAt';
      readonly isAscending: boolean;
      readonly offset: number;
      readonly limit: number;
    }
  | { readonly kind: 'counts' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reopen' }
  | StepOperation
  | ScheduleOperation;

/** One more than the largest number that stands for an operation. */
export const OPERATION_NUMBERS = 2 ** 52;

const LEASES_MS = [1000, 50, 200.25, 5000] as const;

/** What each number means first; the more often a kind is here, the more often it is drawn. */
const KINDS = [
  'enqueue',
  'claim',
  'settle',
  'advance',
  'enqueue',
  'claim',
  'settle',
  'reclaim',
  'claim',
  'settle',
  'advance',
  'extend',
  'cancel',
  'retry',
  'prune',
  'list',
  'read',
  'counts',
  'enqueueAgain',
  'reopen',
  'enqueue',
  'settle',
  'createSchedule',
  'fire',
  'updateSchedule',
  'listDue',
  'getSchedule',
  'listSchedules',
  'fire',
  'createScheduleAgain',
  'recordSteps',
  'settle',
  'signal',
  'recordSteps',
  'claim',
  'recordSteps',
  'signalAgain',
  'prune',
  'awaitEachOther',
  'awaitEachOther',
] as const satisfies readonly ModelOperation['kind'][];

/** The operation that `number`, a whole number below {@link OPERATION_NUMBERS}, stands for. */
export function decodeOperation(number: number): ModelOperation {
  const digits = new Digits(number);
  const kind = digits.pick(KINDS);
  switch (kind) {
    case 'enqueue':
      return { kind, jobs: digits.list(1 + digits.take(4), () => drawDraft(digits)) };
    case 'enqueueAgain':
      return { kind, job: digits.take(20) };
    case 'claim':
      return { kind, names: drawNames(digits), limit: digits.pick([2, 1, 5, 100]), leaseMs: digits.pick(LEASES_MS) };
    case 'extend':
      return {
        kind,
        leases: digits.list(1 + digits.take(3), () => drawLease(digits)),
        leaseMs: digits.pick(LEASES_MS),
      };
    case 'settle':
      return { kind, settlements: digits.list(1 + digits.take(3), () => drawSettlement(digits)) };
    case 'reclaim':
      return { kind, limit: digits.pick([100, 1, 2]) };
    case 'cancel':
      return {
        kind,
        jobs: digits.list(1 + digits.take(3), () => digits.take(20)),
        isRunningIncluded: digits.take(2) === 0,
      };
    case 'read':
      return { kind, jobs: digits.list(1 + digits.take(3), () => digits.take(20)) };
    case 'retry':
      // Many at once, since few jobs are dead.
      return { kind, jobs: digits.list(8, () => digits.take(20)) };
    case 'prune':
      return {
        kind,
        state: digits.pick(FINISHED_STATES),
        olderThanMs: digits.pick([0, 100, 1000]),
        limit: digits.pick([100, 1, 3]),
      };
    case 'list':
      return drawList(digits);
    case 'counts':
    case 'reopen':
      return { kind };
    case 'advance':
      return { kind, ms: digits.pick([1, 50, 100.5, 250, 1000, 5000]) };
    case 'recordSteps':
    case 'awaitEachOther':
    case 'signal':
    case 'signalAgain':
      return decodeStepOperation(kind, digits);
    default:
      return decodeScheduleOperation(kind, digits);
  }
}

function drawNames(digits: Digits): string[] {
  const first = digits.take(MODEL_NAMES.length);
  const count = MODEL_NAMES.length - digits.take(MODEL_NAMES.length);
  return digits.list(count, () => '').map((_, i) => MODEL_NAMES[(first + i) % MODEL_NAMES.length] as string);
}

function drawList(digits: Digits): ModelOperation {
  const states = digits.pick([null, ['pending'], ['running', 'dead'], JOB_STATES] as const);
  return {
    kind: 'list',
    states,
    names: digits.pick([null, ['task'], ['other', 'task:sub', 'nobody']]),
    orderBy: digits.pick(['createdAt', 'scheduledAt'] as const),
    isAscending: digits.take(2) === 0,
    offset: digits.pick([0, 1, 4]),
    limit: digits.pick([1000, 3, 1]),
    parent: digits.take(2) === 0 ? null : digits.take(4),
  };
}
