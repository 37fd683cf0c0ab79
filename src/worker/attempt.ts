import { JobCancelledError, type ReseolioError } from '../core/errors.ts';
import type { Lease } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, ClaimedJob } from '../core/storage.ts';
import { type CurrentJob, type JobContext, runInContext } from '../workflow/current-job.ts';
import type { Workflow } from '../workflow/workflow.ts';
import type { Deadlined } from './deadline-queue.ts';

export interface AttemptParams {
  readonly job: ClaimedJob;
  readonly leaseToken: string;
  readonly beat: number;
  /** When the claim was begun, on the monotonic clock: a sleep may be longer by what the claim took, not shorter. */
  readonly claimedAt: number;
  /** Makes what remembers things for the handler, when it first asks; null: this worker's handlers are elsewhere. */
  readonly openWorkflow: ((attempt: Attempt) => Workflow) | null;
}

/** One attempt in the hands of this worker, from its claim until its outcome is stored or its lease is lost. */
export class Attempt implements Deadlined, JobContext {
  readonly job: ClaimedJob;
  readonly lease: Lease;
  readonly stay = null;
  readonly claimedAt: number;
  /** When its handler was called, and when it ended, on the monotonic clock. */
  startedAt: number | null = null;
  endedAt: number | null = null;
  /** When it times out; or, while it is parked, when it is to be suspended. */
  deadline = Number.POSITIVE_INFINITY;
  queueIndex = -1;
  /** The last heartbeat by which the storage is known to have held the lease. */
  confirmedBeat: number;
  isLeaseLost = false;
  /** Its handler has returned or thrown. */
  isHandlerDone = false;
  /** It has thrown, or what it returned cannot be stored. */
  hasFailed = false;
  /** Set when the attempt ends, unless its lease was lost. */
  outcome: AttemptOutcome | null = null;
  /**
   * Called when the attempt is aborted, or (`isOver` false) its job is asked to stop: what an `AbortSignal` costs is for
   * handlers that look at theirs.
   */
  onAbort: ((isOver: boolean) => void) | null = null;
  #controller: AbortController | null = null;
  #abortReason: ReseolioError | null = null;
  #current: CurrentJob | null = null;
  #wallDeadline = 0;
  /** What is left of its time, while it is parked. */
  #remainingMs = 0;
  readonly #openWorkflow: AttemptParams['openWorkflow'];
  #workflow: Workflow | null = null;
  #isCancelRequested = false;
  #isOver = false;

  constructor({ job, leaseToken, beat, claimedAt, openWorkflow }: AttemptParams) {
    this.job = job;
    this.lease = { jobId: job.id, attempt: job.attempt, token: leaseToken };
    this.confirmedBeat = beat;
    this.claimedAt = claimedAt;
    this.#openWorkflow = openWorkflow;
  }

  /** Its handler is about to be called: the time-out counts from here, and is heeded `extraTimeMs` later. */
  begin(runtime: Runtime, extraTimeMs: number): void {
    const { timeoutMs } = this.job.options;
    this.startedAt = runtime.monotonicNow();
    this.deadline = this.startedAt + timeoutMs + extraTimeMs;
    this.#wallDeadline = runtime.now() + timeoutMs;
  }

  /** Its time-out stops counting; the deadline is that of its suspension, `suspendInMs` from now. */
  pause(runtime: Runtime, suspendInMs: number): void {
    const now = runtime.monotonicNow();
    this.#remainingMs = Math.max(0, this.deadline - now);
    this.deadline = now + suspendInMs;
  }

  /** Its time-out counts on. */
  goOn(runtime: Runtime): void {
    this.deadline = runtime.monotonicNow() + this.#remainingMs;
    this.#wallDeadline = runtime.now() + this.#remainingMs;
  }

  /** What remembers things for the handler; null once the handler has ended. */
  get workflow(): Workflow | null {
    if (this.isHandlerDone) return null;
    if (this.#workflow === null && this.#openWorkflow !== null) {
      this.#workflow = this.#openWorkflow(this);
      if (this.#isOver) this.#workflow.close(this.#abortReason);
      else if (this.#isCancelRequested) this.#workflow.interrupt(this.#abortReason);
    }
    return this.#workflow;
  }

  /** As {@link workflow}, null also where the handler has not asked for anything. */
  get openedWorkflow(): Workflow | null {
    return this.#workflow;
  }

  /** Somebody has asked the job to stop: tells the handler, the first time. */
  requestCancel(): void {
    if (this.#isCancelRequested || this.endedAt !== null) return;
    this.#isCancelRequested = true;
    const reason = new JobCancelledError(this.job.id);
    this.#tellAborted(reason);
    this.#workflow?.interrupt(reason);
  }

  /** What the handler sees of it, made when it first looks: most handlers never do. */
  get current(): CurrentJob {
    this.#current ??= this.#createCurrent();
    return this.#current;
  }

  /** What it comes to is not taken any more. */
  abort(reason: ReseolioError): void {
    this.#isOver = true;
    this.#tellAborted(reason);
    this.#workflow?.close(reason);
  }

  #tellAborted(reason: ReseolioError): void {
    this.#abortReason ??= reason;
    this.onAbort?.(this.#isOver);
    const controller = this.#controller;
    // In the context of the job: what listens for the abort may ask for the current job.
    if (controller !== null) runInContext(this, () => controller.abort(this.#abortReason), []);
  }

  #createCurrent(): CurrentJob {
    const { id, name, attempt, occurrence, parentId } = this.job;
    const getSignal = (): AbortSignal => this.#signal();
    const getDeadline = (): number => this.#wallDeadline;
    return Object.freeze({
      id,
      name,
      attempt,
      occurrence: occurrence === null ? null : Object.freeze({ ...occurrence }),
      parentId,
      get deadline() {
        return getDeadline();
      },
      get signal() {
        return getSignal();
      },
    });
  }

  #signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }
}
