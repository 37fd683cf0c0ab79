import { isFinished, type JobRecord } from '../../core/job.ts';
import { LIMITS } from '../../core/options.ts';
import type {
  GetSignalsParams,
  GetStepsParams,
  NewSignal,
  NewStep,
  RecordStepsResult,
  SignalResult,
  StepRecording,
  StoredSignal,
  StoredStep,
} from '../../core/step-operations.ts';
import type { NewJob } from '../../core/storage.ts';
import { findHeld } from './end-attempts.ts';
import type { JobTable } from './job-table.ts';
import { copyPayload } from './stored-job.ts';
import { wake } from './suspensions.ts';

/** Records the steps of one attempt. `addChild` makes a job and answers with the one that stands for it. */
export function recordSteps(
  table: JobTable,
  { lease, from, steps }: StepRecording,
  addChild: (child: NewJob, parentId: string) => string,
): RecordStepsResult {
  const held = findHeld(table, lease);
  if (held === null) return { status: 'lease_lost' };
  const present = held.steps.slice(from, from + steps.length);
  const isRepeat = steps.length > 0 && present.length === steps.length;
  if (isRepeat) return { status: 'recorded', jobIds: present.map(({ jobId }) => jobId) };
  if (held.steps.length !== from) return { status: 'lease_lost' };
  const added = steps.map(({ body, child }: NewStep): StoredStep => {
    return { body: new Uint8Array(body), jobId: child === null ? null : addChild(child, lease.jobId) };
  });
  const all = [...held.steps, ...added];
  table.update(held, { steps: all, record: { stepCount: all.length } });
  return { status: 'recorded', jobIds: added.map(({ jobId }) => jobId) };
}

export function getSteps(table: JobTable, { jobId, from, limit }: GetStepsParams): StoredStep[] {
  const steps = table.get(jobId)?.steps ?? [];
  return steps.slice(from, from + limit).map((step) => ({ jobId: step.jobId, body: new Uint8Array(step.body) }));
}

/** Sends one signal. `woken` is the job if it waited for one. */
export function signalJob(
  table: JobTable,
  { id, jobId, name, payload }: NewSignal,
  now: number,
): { result: SignalResult; woken: JobRecord | null } {
  const job = table.get(jobId);
  if (job === null) return { result: { status: 'not_found' }, woken: null };
  if (job.signals.some((signal) => signal.id === id)) return { result: { status: 'stored' }, woken: null };
  const { state } = job.record;
  if (isFinished(state) || job.signals.length >= LIMITS.signals) {
    return { result: { status: 'refused', state }, woken: null };
  }
  const signals = [...job.signals, { id, name, payload: payload === null ? null : copyPayload(payload) }];
  const changed = table.update(job, { signals, record: { signalCount: signals.length } });
  const seen = changed.suspension?.signalsSeen ?? Number.POSITIVE_INFINITY;
  return { result: { status: 'stored' }, woken: signals.length > seen ? wake(table, changed, now) : null };
}

export function getSignals(table: JobTable, { jobId, from, limit }: GetSignalsParams): StoredSignal[] {
  const signals = table.get(jobId)?.signals ?? [];
  return signals
    .slice(from, from + limit)
    .map(({ name, payload }) => ({ name, payload: payload === null ? null : copyPayload(payload) }));
}
