import type { JobOptions } from './options.ts';
import type { Payload } from './payload.ts';
import type { Occurrence } from './schedule-record.ts';

/** The stored states. "Delayed" is not one: it is `pending` with `runAt` in the future. */
export const JOB_STATES = ['pending', 'running', 'success', 'dead', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

export const FINISHED_STATES = ['success', 'dead', 'cancelled'] as const satisfies readonly JobState[];
export type FinishedState = (typeof FINISHED_STATES)[number];

export function isFinished(state: JobState): state is FinishedState {
  return state === 'success' || state === 'dead' || state === 'cancelled';
}

/** What can happen to a stored job. */
export const JOB_EVENTS = ['claim', 'succeed', 'fail', 'die', 'release', 'suspend', 'stop', 'cancel', 'retry'] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

/**
 * Every legal transition; what is not here is refused. `fail` is an attempt that failed or was lost with attempts
 * left, `die` one that ends the job, `stop` one that ended after the job was asked to stop. `docs/states.md` draws this table, and a test walks it exhaustively.
 */
export const TRANSITIONS: Readonly<Record<JobState, Readonly<Partial<Record<JobEvent, JobState>>>>> = {
  pending: { claim: 'running', cancel: 'cancelled' },
  running: {
    succeed: 'success',
    fail: 'pending',
    die: 'dead',
    release: 'pending',
    suspend: 'pending',
    stop: 'cancelled',
  },
  success: {},
  dead: { retry: 'pending' },
  cancelled: {},
};

/** The state after `event`, or null where the event is not legal. */
export function nextState(state: JobState, event: JobEvent): JobState | null {
  return TRANSITIONS[state][event] ?? null;
}

/** An error as it is stored: what is left of a thrown value once it has crossed processes. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

/** One attempt that failed or was lost. A job keeps its last {@link MAX_ATTEMPT_HISTORY}. */
export interface AttemptRecord {
  readonly attempt: number;
  /** `failed`: the handler threw or timed out. `lost`: its lease expired with no outcome. */
  readonly outcome: 'failed' | 'lost';
  readonly workerId: string;
  /** Unix milliseconds on the storage's clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: StoredError;
}

export const MAX_ATTEMPT_HISTORY = 20;

/** A job without its payloads, as lists show it. Times are Unix milliseconds on the storage's clock. */
export interface JobSummary {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** The attempt that runs or ran last; 0 before the first. */
  readonly attempt: number;
  readonly options: JobOptions;
  /** Higher runs first. */
  readonly priority: number;
  readonly idempotencyKey: string | null;
  /** What it is for, if a schedule made it. */
  readonly occurrence: Occurrence | null;
  /** The job whose handler called this one; null if something else did. */
  readonly parentId: string | null;
  /** How many steps it remembers, and how many signals it was sent. */
  readonly stepCount: number;
  readonly signalCount: number;
  /** Pending, and waiting for what its handler awaits: `runAt` is when time wakes it, the year 2200 if it does not. */
  readonly isSuspended: boolean;
  /** Running, and asked to stop. */
  readonly isCancelRequested: boolean;
  readonly createdAt: number;
  /** When the job is due, or was due for its last attempt. */
  readonly runAt: number;
  /** When the last attempt was claimed. */
  readonly startedAt: number | null;
  /** When the job reached success, dead or cancelled. */
  readonly finishedAt: number | null;
  /** The worker that holds or last held the job. */
  readonly workerId: string | null;
  /** Only while running. */
  readonly leaseExpiresAt: number | null;
  /** The error of the last failed or lost attempt; null after a success and after a retry of a dead job. */
  readonly error: StoredError | null;
}

/** A stored job, whole. */
export interface JobRecord extends JobSummary {
  readonly args: Payload;
  /** null: no result yet, or the handler returned `undefined`. */
  readonly result: Payload | null;
}

/** How a job ended: what those who wait for its result need to know. */
export type FinishedJob = Pick<JobRecord, 'state' | 'attempt' | 'result' | 'error'>;

/** The names under which one worker's right to one attempt is known; every write made under it carries them. */
export interface Lease {
  readonly jobId: string;
  readonly attempt: number;
  readonly token: string;
}

/** What an attempt whose worker was lost is recorded with. */
export function lostAttemptError(workerId: string): StoredError {
  return {
    name: 'AttemptLostError',
    message: `worker ${workerId} was lost: its lease expired before the attempt ended`,
    stack: null,
  };
}

/** What a job ends with that would wait for itself. */
export function waitCycleError(jobId: string): StoredError {
  return {
    name: 'WaitCycleError',
    message: `job ${jobId} waits for a job that waits for it in turn: neither could ever go on`,
    stack: null,
  };
}

/**
 * What becomes of a job whose attempt was lost: it counts, so a job that kills its worker every time ends. One that was
 * asked to stop has stopped.
 */
export function reclaimEvent(
  attempt: number,
  maxAttempts: number,
  isCancelRequested: boolean,
): 'fail' | 'die' | 'stop' {
  if (isCancelRequested) return 'stop';
  return attempt < maxAttempts ? 'fail' : 'die';
}
