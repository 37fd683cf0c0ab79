import { AsyncLocalStorage } from 'node:async_hooks';
import { ReseolioError } from '../core/errors.ts';
import type { Occurrence } from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';
import type { Stay } from './stay.ts';
import type { Workflow } from './workflow.ts';

/** What a handler can know of the job that it runs. */
export interface CurrentJob {
  readonly id: string;
  readonly name: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Which due time of which schedule the job is for; null if it was called. */
  readonly occurrence: Occurrence | null;
  /** The job whose handler called this one; null if something else did. */
  readonly parentId: string | null;
  /**
   * Aborts when the outcome of this attempt will no longer be taken, or when the job is asked to stop. Its `reason` is a
   * `ReseolioError` of code `attempt_timeout`, `shutting_down` (the grace time of `stop()` is over), `lease_lost`, or
   * `job_cancelled` (somebody called `cancel({ running: true })`: end soon; what a handler throws then cancels the job).
   */
  readonly signal: AbortSignal;
  /** When the attempt times out, Unix milliseconds; later, the longer it waits for children, signals or a sleep. */
  readonly deadline: number;
}

/** What the code of a job runs in. */
export interface JobContext {
  readonly current: CurrentJob;
  /** Null in a job that remembers nothing, such as one that has ended. */
  readonly workflow: Workflow | null;
  /** In the function of a step, which is remembered as a whole; null outside. */
  readonly stay: Stay | null;
  /** The handler has thrown: what is left of it must not do what the next attempt does. */
  readonly hasFailed: boolean;
}

/** A process has one chain of asynchronous contexts, so this one for all clients is no state that they share. */
const contexts = new AsyncLocalStorage<JobContext>();

/**
 * The job whose handler called this, directly or through whatever it awaits.
 *
 * @throws ReseolioError `no_current_job` outside of a handler.
 */
export function currentJob(): CurrentJob {
  return requireContext('currentJob()').current;
}

/** True where {@link currentJob} would not throw. */
export function hasCurrentJob(): boolean {
  return contexts.getStore() !== undefined;
}

/** What code of a job runs in; null outside of one. */
export function currentContext(): JobContext | null {
  return contexts.getStore() ?? null;
}

/**
 * The workflow that calls on `storage` belong to; null outside of handlers, in the functions of their steps, and in handlers
 * whose job is in another storage: what is done in one cannot be remembered in the other in one step.
 *
 * @throws ReseolioError `no_current_job` in what is left of a handler that has failed.
 */
export function workflowOn(storage: Storage): Workflow | null {
  const context = contexts.getStore();
  if (context?.hasFailed) {
    throw new ReseolioError('no_current_job', 'the handler has failed: what it calls is for its next attempt to call');
  }
  const workflow = context === undefined || context.stay !== null ? null : context.workflow;
  return workflow?.environment.storage === storage ? workflow : null;
}

/**
 * The workflow of the handler that called this. `what` it called is for errors.
 *
 * @throws ReseolioError `no_current_job` outside of a handler and in one that has ended, `invalid_argument` in a step.
 */
export function requireWorkflow(what: string): Workflow {
  const { workflow, stay } = requireContext(what);
  if (stay !== null) {
    throw new ReseolioError(
      'invalid_argument',
      `${what} was called in the function of a step, which is remembered as a whole: call it outside`,
    );
  }
  if (workflow === null) throw new ReseolioError('no_current_job', `${what} was called by a handler that has ended`);
  return workflow;
}

/**
 * What a handler may leave without awaiting it: where the end of an attempt rejects that, nobody need hear of it, and the
 * process must not end by it. Outside of handlers `promise` is as it was.
 */
export function quietInHandler<Result>(promise: Promise<Result>): Promise<Result> {
  if (hasCurrentJob()) promise.catch(() => {});
  return promise;
}

/** Calls `handler` so that {@link currentJob} works in it. */
export function runInContext(
  context: JobContext,
  handler: (...args: unknown[]) => unknown,
  args: readonly unknown[],
): unknown {
  return contexts.run(context, handler, ...args);
}

function requireContext(what: string): JobContext {
  const context = contexts.getStore();
  if (context !== undefined) return context;
  throw new ReseolioError('no_current_job', `${what} was called outside of a handler`);
}
