import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import { ReseolioError } from '../core/errors.ts';
import type { JobRecord } from '../core/job.ts';
import { LIMITS } from '../core/options.ts';
import type { StoredStep } from '../core/step-operations.ts';
import type { Storage } from '../core/storage.ts';
import type { History, Told } from './history.ts';
import type { WorkflowEnvironment } from './workflow-host.ts';

const NEVER = new Promise<never>(() => {});

/**
 * Reads what a job remembers, again until the storage answers or `isOver` says that nobody wants to know; the bytes of it.
 * `onForgotten` is called if an attempt forgets failures that are stored. An attempt that does not go on with a suspended
 * one tries again what failed: see ADR 10.
 */
export async function loadHistory(
  history: History,
  job: JobRecord,
  isResumed: boolean,
  { storage, runtime, reportError }: WorkflowEnvironment,
  isOver: () => boolean,
  onForgotten: () => void,
): Promise<number> {
  const repeat = async <Result>(read: () => Promise<Result>): Promise<Result | null> => {
    for (let failures = 1; !isOver(); failures++) {
      try {
        return await read();
      } catch (error) {
        if (reportError(error)) return null;
        const delayMs = retryDelayMs(STORAGE_BACKOFF, failures, runtime.random());
        await new Promise<void>((resolve) => runtime.setTimer(delayMs, resolve));
      }
    }
    return null;
  };
  const steps = await repeat(() => readSteps(storage, job));
  // The attempt is over, or its storage gone: nothing may be done as if nothing were remembered.
  if (steps === null) return NEVER;
  history.load(steps);
  if (!isResumed) {
    if (history.forgetLastFailures()) onForgotten();
    const calls = childrenThatMayBeCalledAnew(history);
    const ended = calls.length === 0 ? null : await repeat(() => readEndedBadly(storage, job.id));
    for (const told of calls) if (ended?.has(told.jobId ?? '')) history.callAnew(told);
  }
  return steps.reduce((bytes, { body }) => bytes + body.length, 0);
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
  const heardOf = new Set(history.told.flatMap(({ step }) => (step.operation === 'result' ? step.name : [])));
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
