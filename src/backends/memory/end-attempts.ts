import {
  isFinished,
  type JobEvent,
  type JobRecord,
  type Lease,
  lostAttemptError,
  nextState,
  reclaimEvent,
} from '../../core/job.ts';
import type { AttemptOutcome, ReclaimedJob, Settlement, SettleResult } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';
import { appendAttempt, copyPayload, type StoredJob } from './stored-job.ts';

const EVENT_OF_OUTCOME = { success: 'succeed', retry: 'fail', dead: 'die', release: 'release' } as const;

/** The job whose running attempt `lease` holds, or null. A lease past its expiry is held until it is reclaimed. */
export function findHeld(table: JobTable, lease: Lease): StoredJob | null {
  const job = table.get(lease.jobId);
  const isHeld =
    job !== null &&
    job.record.state === 'running' &&
    job.record.attempt === lease.attempt &&
    job.leaseToken === lease.token;
  return isHeld ? job : null;
}

/** Ends one attempt. `settled` is the changed job, null where nothing changed. */
export function settleAttempt(
  table: JobTable,
  { lease, outcome }: Settlement,
  now: number,
): { result: SettleResult; settled: JobRecord | null } {
  const held = findHeld(table, lease);
  if (held === null) return { result: answerStale(table, lease), settled: null };
  const record = leaveRunning(held, EVENT_OF_OUTCOME[outcome.kind], now);
  const settled = table.update(held, {
    leaseToken: null,
    lastSettled: { attempt: lease.attempt, token: lease.token },
    attempts:
      outcome.kind === 'retry' || outcome.kind === 'dead'
        ? appendAttempt(held, 'failed', now, outcome.error)
        : held.attempts,
    record: { ...record, ...recordOutcome(held.record, outcome, now) },
  }).record;
  return { result: { status: 'settled', state: settled.state, runAt: settled.runAt }, settled };
}

/** Takes a job back from a worker that was lost. */
export function reclaimAttempt(table: JobTable, job: StoredJob, now: number): ReclaimedJob {
  const { id, name, attempt, workerId, options } = job.record;
  const event = reclaimEvent(attempt, options.maxAttempts);
  const error = lostAttemptError(workerId ?? '');
  table.update(job, {
    leaseToken: null,
    attempts: appendAttempt(job, 'lost', now, error),
    record: { ...leaveRunning(job, event, now), error, ...(event === 'fail' ? { runAt: now } : {}) },
  });
  return { jobId: id, name, attempt, state: event === 'fail' ? 'pending' : 'dead' };
}

/** A repeat of the settle that took effect last is a success; all else came too late. */
function answerStale(table: JobTable, { jobId, attempt, token }: Lease): SettleResult {
  const job = table.get(jobId);
  const isRepeat = job?.lastSettled?.attempt === attempt && job.lastSettled.token === token;
  return isRepeat ? { status: 'settled', state: job.record.state, runAt: job.record.runAt } : { status: 'lease_lost' };
}

function leaveRunning(job: StoredJob, event: JobEvent, now: number): Partial<JobRecord> {
  const state = nextState(job.record.state, event);
  if (state === null) throw new Error(`job ${job.record.id} is ${job.record.state}: it cannot ${event}`);
  return { state, leaseExpiresAt: null, finishedAt: isFinished(state) ? now : null };
}

function recordOutcome(record: JobRecord, outcome: AttemptOutcome, now: number): Partial<JobRecord> {
  switch (outcome.kind) {
    case 'success':
      return { error: null, result: outcome.result === null ? null : copyPayload(outcome.result) };
    case 'retry':
      return { error: { ...outcome.error }, runAt: now + outcome.delayMs };
    case 'dead':
      return { error: { ...outcome.error } };
    case 'release': {
      const attempt = record.attempt - 1;
      return { attempt, startedAt: attempt === 0 ? null : record.startedAt };
    }
  }
}
