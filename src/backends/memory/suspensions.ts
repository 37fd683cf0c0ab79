import { isFinished, type JobRecord } from '../../core/job.ts';
import { NEVER_DUE } from '../../core/options.ts';
import type { Suspension } from '../../core/storage.ts';
import type { JobTable } from './job-table.ts';
import type { StoredJob } from './stored-job.ts';

/** Something that `job` is about to wait for is there already. */
export function isAwaitedThere(table: JobTable, job: StoredJob, { awaits, signalsSeen }: Suspension): boolean {
  if (signalsSeen !== null && job.record.signalCount > signalsSeen) return true;
  return awaits.some((id) => {
    const awaited = table.get(id);
    return awaited === null || isFinished(awaited.record.state);
  });
}

/**
 * Whether `job` can never go on: it waits for nothing but jobs, and whatever it comes to from there waits for nothing but jobs
 * as well, itself among them.
 */
export function wouldWaitForItself(table: JobTable, job: StoredJob, suspension: Suspension): boolean {
  if (suspension.wakeAt !== null || suspension.signalsSeen !== null) return false;
  const seen = new Set<string>();
  const unseen = [...suspension.awaits];
  for (let id = unseen.pop(); id !== undefined; id = unseen.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (id === job.record.id) continue;
    const awaited = table.get(id);
    if (awaited === null || !waitsForJobsOnly(awaited)) return false;
    unseen.push(...(awaited.suspension?.awaits ?? []));
  }
  return seen.has(job.record.id);
}

/** Makes those that wait for one of the jobs due; the changed jobs. */
export function wakeWaiting(table: JobTable, finishedIds: readonly string[], now: number): JobRecord[] {
  const ids = new Set(finishedIds);
  if (ids.size === 0) return [];
  const waiting = table.suspended().filter(({ suspension }) => suspension?.awaits.some((id) => ids.has(id)));
  return waiting.map((job) => wake(table, job, now));
}

/** Makes a suspended job due, unless it is already. */
export function wake(table: JobTable, job: StoredJob, now: number): JobRecord {
  return table.update(job, { record: { runAt: Math.min(job.record.runAt, now) } }).record;
}

function waitsForJobsOnly({ record, suspension }: StoredJob): boolean {
  return record.isSuspended && record.runAt === NEVER_DUE && suspension?.signalsSeen === null;
}
