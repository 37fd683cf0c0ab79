import type { FinishedJob, JobState, JobSummary } from '../core/job.ts';
import { BACKOFFS, type Backoff, DEFAULT_JOB_OPTIONS, type JobOptions, resolveJobOptions } from '../core/options.ts';
import type { Payload } from '../core/payload.ts';
import type { ScheduleState, ScheduleSummary } from '../core/schedule-record.ts';
import { writeJsonPayload } from './json-payload.ts';
import { writeWireCron } from './wire-cron.ts';
import type { JobCompletion, WireJob, WireOptions, WireSchedule } from './wire-messages.ts';

const NOTHING = Buffer.alloc(0);

export const STATUS_OF_STATE: Readonly<Record<JobState, number>> = {
  pending: 1,
  running: 2,
  success: 3,
  dead: 5,
  cancelled: 6,
};

/** `failed` is in the protocol, and no job ever is. */
const STATE_OF_STATUS: ReadonlyMap<number, JobState> = new Map(
  (Object.keys(STATUS_OF_STATE) as JobState[]).map((state) => [STATUS_OF_STATE[state], state]),
);

const SCHEDULE_STATUS: Readonly<Record<ScheduleState, number>> = { active: 1, paused: 2, deleted: 3 };

export function stateOfStatus(status: number): JobState | null {
  return STATE_OF_STATUS.get(status) ?? null;
}

/** 0, empty and absent mean the default; a float on the way is rounded to what it was written as. */
export function readWireOptions(given: WireOptions | null): JobOptions {
  if (given === null) return DEFAULT_JOB_OPTIONS;
  const or = (value: number, fallback: number): number => (value === 0 ? fallback : value);
  const defaults = DEFAULT_JOB_OPTIONS;
  return resolveJobOptions({
    maxAttempts: or(given.maxAttempts, defaults.maxAttempts),
    backoff: isBackoff(given.backoff) ? given.backoff : defaults.backoff,
    initialDelayMs: or(given.initialDelayMs, defaults.initialDelayMs),
    maxDelayMs: or(given.maxDelayMs, defaults.maxDelayMs),
    timeoutMs: or(given.timeoutMs, defaults.timeoutMs),
    jitter: or(Number(given.jitter.toPrecision(7)), defaults.jitter),
  });
}

/** Whole milliseconds on the wire. */
function writeWireOptions(options: JobOptions): WireOptions {
  return {
    ...options,
    initialDelayMs: toInt32(options.initialDelayMs),
    maxDelayMs: toInt32(options.maxDelayMs),
    timeoutMs: toInt32(options.timeoutMs),
  };
}

export function writeWireJob(
  job: JobSummary,
  payloads: Readonly<{ args: Payload | null; result: Payload | null }>,
  deadlineMs = 0,
): WireJob {
  const [args, argsFlaw] = tryWrite(payloads.args, 'args');
  const [result, resultFlaw] = tryWrite(payloads.result, 'result');
  return {
    id: job.id,
    name: job.name,
    args,
    attempt: job.attempt,
    deadlineMs: Math.floor(deadlineMs),
    status: STATUS_OF_STATE[job.state],
    error: job.error?.message ?? argsFlaw ?? resultFlaw ?? '',
    result,
    createdAt: Math.floor(job.createdAt),
    scheduledAt: Math.floor(job.runAt),
    startedAt: Math.floor(job.startedAt ?? 0),
    completedAt: Math.floor(job.finishedAt ?? 0),
    maxAttempts: job.options.maxAttempts,
    scheduleId: job.occurrence?.scheduleId ?? '',
    occurrenceAt: Math.floor(job.occurrence?.dueAt ?? 0),
  };
}

export function writeCompletion(jobId: string, job: FinishedJob): JobCompletion {
  const [result, flaw] = tryWrite(job.result, 'result');
  return { jobId, status: STATUS_OF_STATE[job.state], result, error: job.error?.message ?? flaw ?? '' };
}

export function writeWireSchedule(schedule: ScheduleSummary, payload: Payload | null): WireSchedule {
  const [args] = tryWrite(payload, 'args');
  return {
    id: schedule.id,
    name: schedule.jobName,
    cronExpression: writeWireCron(schedule.cron),
    timezone: schedule.timezone,
    status: SCHEDULE_STATUS[schedule.state],
    nextRunAt: Math.floor(schedule.nextRunAt ?? 0),
    lastRunAt: Math.floor(schedule.lastRunAt ?? 0),
    createdAt: Math.floor(schedule.createdAt),
    updatedAt: Math.floor(schedule.updatedAt),
    handlerOptions: writeWireOptions(schedule.options),
    args,
    scheduleName: schedule.name,
  };
}

/** What JSON cannot carry is left out of what is only shown, and said in place of an error. */
function tryWrite(payload: Payload | null, what: string): readonly [Uint8Array, string | null] {
  try {
    return [writeJsonPayload(payload, what), null];
  } catch (error) {
    return [NOTHING, error instanceof Error ? error.message : String(error)];
  }
}

function isBackoff(backoff: string): backoff is Backoff {
  return (BACKOFFS as readonly string[]).includes(backoff);
}

function toInt32(value: number): number {
  return Math.min(Math.round(value), 2 ** 31 - 1);
}
