import { ReseolioError } from '../core/errors.ts';
import type { JobRecord } from '../core/job.ts';
import { LIMITS } from '../core/options.ts';
import type { StoredStep } from '../core/step-operations.ts';
import type { Storage } from '../core/storage.ts';
import type { History, Told } from './history.ts';

export interface LoadHistoryParams {
  readonly history: History;
  readonly job: JobRecord;
  readonly storage: Storage;
  /** Calls `read` until the storage answers; rejects where nobody wants to know any more. */
  readonly repeat: <Result>(read: () => Promise<Result>) => Promise<Result>;
}

/** Reads what a job remembers; the bytes of it. */
export async function loadHistory({ history, job, storage, repeat }: LoadHistoryParams): Promise<number> {
  const steps = await repeat(() => readSteps(storage, job));
  history.load(steps);
  return steps.reduce((bytes, { body }) => bytes + body.length, 0);
}

/**
 * Has an attempt try again what failed in those before, if it does not go on with a suspended one: see ADR 10. True: failures
 * that are stored were forgotten.
 */
export async function tryFailuresAgain({ history, job, storage, repeat }: LoadHistoryParams): Promise<boolean> {
  const hasForgotten = history.forgetLastFailures();
  const calls = childrenThatMayBeCalledAnew(history);
  if (calls.length === 0) return hasForgotten;
  const ended = await repeat(() => readEndedBadly(storage, job.id));
  for (const told of calls) if (ended.has(told.jobId ?? '')) history.callAnew(told);
  return hasForgotten;
}

async function readSteps(storage: Storage, { id: jobId, stepCount }: JobRecord): Promise<StoredStep[]> {
  const steps: StoredStep[] = [];
  while (steps.length < stepCount) {
    const page = await storage.getSteps({ jobId, from: steps.length, limit: stepCount - steps.length });
    if (page.length === 0) throw stepsMissing(jobId, steps.length, stepCount);
    steps.push(...page);
  }
  return steps;
}

function stepsMissing(jobId: string, found: number, stepCount: number): ReseolioError {
  return new ReseolioError('storage_unavailable', `job ${jobId} has ${stepCount} steps, of which ${found} can be read`);
}

/** An idempotency key means one job, whatever became of it; and what the handler has heard of a job's end stands. */
function childrenThatMayBeCalledAnew(history: History): Told[] {
  const heardOf = new Set(history.told.flatMap(({ step }) => (step.outcome.kind === 'finished' ? step.name : [])));
  return history.told.filter(
    ({ step: { outcome }, jobId }) => outcome.kind === 'called' && !outcome.isKeyed && !heardOf.has(jobId ?? ''),
  );
}

async function readEndedBadly(storage: Storage, parentId: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let offset = 0; ; offset += LIMITS.listPage) {
    const { jobs } = await storage.listJobs({
      states: ['dead', 'cancelled'],
      names: null,
      parentId,
      limit: LIMITS.listPage,
      offset,
      orderBy: 'createdAt',
      isAscending: true,
    });
    for (const { id } of jobs) ids.add(id);
    if (jobs.length < LIMITS.listPage) return ids;
  }
}
