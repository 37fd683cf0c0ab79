import {
  isFinished,
  type JobEvent,
  type JobRecord,
  type Lease,
  lostAttemptError,
  nextState,
  reclaimEvent,
  type StoredError,
  waitCycleError,
} from '../../core/job.ts';
import { NEVER_DUE } from '../../core/options.ts';
import type { AttemptOutcome, ReclaimedJob, Settlement, SettleResult, Suspension } from '../../core/storage.ts';
import type { JobChange, JobTable } from './job-table.ts';
import { appendAttempt, copyPayload, type StoredJob } from './stored-job.ts';
import { isAwaitedThere, wouldWaitForItself } from './suspensions.ts';

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
  const change = changeFor(table, held, outcome, now);
  const lastSettled = { attempt: lease.attempt, token: lease.token };
  const settled = table.update(held, { ...change, leaseToken: null, lastSettled }).record;
  return { result: { status: 'settled', state: settled.state, runAt: settled.runAt }, settled };
}

/** Takes a job back from a worker that was lost. */
export function reclaimAttempt(table: JobTable, job: StoredJob, now: number): ReclaimedJob {
  const { id, name, attempt, workerId, options, isCancelRequested } = job.record;
  const event = reclaimEvent(attempt, options.maxAttempts, isCancelRequested);
  const error = lostAttemptError(workerId ?? '');
  const { record } = table.update(job, {
    leaseToken: null,
    attempts: appendAttempt(job, 'lost', now, error),
    record: { ...leaveRunning(job, event, now), error, ...(event === 'fail' ? { runAt: now } : {}) },
  });
  return { jobId: id, name, attempt, state: record.state as ReclaimedJob['state'] };
}

/** A repeat of the settle that took effect last is a success; all else came too late. */
function answerStale(table: JobTable, { jobId, attempt, token }: Lease): SettleResult {
  const job = table.get(jobId);
  const isRepeat = job?.lastSettled?.attempt === attempt && job.lastSettled.token === token;
  return isRepeat ? { status: 'settled', state: job.record.state, runAt: job.record.runAt } : { status: 'lease_lost' };
}

function changeFor(table: JobTable, job: StoredJob, outcome: AttemptOutcome, now: number): JobChange {
  if (job.record.isCancelRequested && outcome.kind !== 'success') return stop(job, outcome, now);
  switch (outcome.kind) {
    case 'success': {
      const result = outcome.result === null ? null : copyPayload(outcome.result);
      return { record: { ...leaveRunning(job, 'succeed', now), error: null, result } };
    }
    case 'retry':
      return fail(job, 'fail', outcome.error, now, { runAt: now + outcome.delayMs });
    case 'dead':
      return fail(job, 'die', outcome.error, now, {});
    case 'release':
      return { record: { ...leaveRunning(job, 'release', now), ...uncounted(job) } };
    case 'suspend':
      return suspend(table, job, outcome, now);
  }
}

function stop(job: StoredJob, outcome: AttemptOutcome, now: number): JobChange {
  if ('error' in outcome) return fail(job, 'stop', outcome.error, now, {});
  return { record: leaveRunning(job, 'stop', now) };
}

function fail(job: StoredJob, event: JobEvent, error: StoredError, now: number, change: Partial<JobRecord>): JobChange {
  return {
    attempts: appendAttempt(job, 'failed', now, error),
    record: { ...leaveRunning(job, event, now), ...change, error: { ...error } },
  };
}

function suspend(table: JobTable, job: StoredJob, suspension: Suspension, now: number): JobChange {
  const isThere = isAwaitedThere(table, job, suspension);
  if (!isThere && wouldWaitForItself(table, job, suspension)) {
    return fail(job, 'die', waitCycleError(job.record.id), now, {});
  }
  const runAt = isThere ? now : (suspension.wakeAt ?? NEVER_DUE);
  return {
    suspension: { ...suspension, awaits: [...suspension.awaits] },
    record: { ...leaveRunning(job, 'suspend', now), ...uncounted(job), isSuspended: true, runAt },
  };
}

/** What an attempt leaves that does not count. */
function uncounted({ record }: StoredJob): Partial<JobRecord> {
  const attempt = record.attempt - 1;
  return { attempt, startedAt: attempt === 0 ? null : record.startedAt };
}

function leaveRunning(job: StoredJob, event: JobEvent, now: number): Partial<JobRecord> {
  const state = nextState(job.record.state, event);
  if (state === null) throw new Error(`job ${job.record.id} is ${job.record.state}: it cannot ${event}`);
  return { state, leaseExpiresAt: null, isCancelRequested: false, finishedAt: isFinished(state) ? now : null };
}
