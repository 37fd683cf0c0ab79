import type { ReseolioError } from '../core/errors.ts';
import type { JobRecord, Lease } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome } from '../core/storage.ts';
import { type CurrentJob, type JobContext, runInContext } from './current-job.ts';
import type { Deadlined } from './deadline-queue.ts';

export interface AttemptParams {
  readonly job: JobRecord;
  readonly leaseToken: string;
  readonly beat: number;
}

/** One attempt in the hands of this worker, from its claim until its outcome is stored or its lease is lost. */
export class Attempt implements Deadlined, JobContext {
  readonly job: JobRecord;
  readonly lease: Lease;
  /** When its handler was called, and when it ended, on the monotonic clock. */
  startedAt: number | null = null;
  endedAt: number | null = null;
  deadline = Number.POSITIVE_INFINITY;
  queueIndex = -1;
  /** The last heartbeat by which the storage is known to have held the lease. */
  confirmedBeat: number;
  isLeaseLost = false;
  /** Set when the attempt ends, unless its lease was lost. */
  outcome: AttemptOutcome | null = null;
  /** Called when the attempt is aborted: what an `AbortSignal` costs is for handlers that look at theirs. */
  onAbort: (() => void) | null = null;
  #controller: AbortController | null = null;
  #abortReason: ReseolioError | null = null;
  #current: CurrentJob | null = null;
  #wallDeadline = 0;

  constructor({ job, leaseToken, beat }: AttemptParams) {
    this.job = job;
    this.lease = { jobId: job.id, attempt: job.attempt, token: leaseToken };
    this.confirmedBeat = beat;
  }

  /** Its handler is about to be called: the time-out counts from here, and is heeded `extraTimeMs` later. */
  begin(runtime: Runtime, extraTimeMs: number): void {
    const { timeoutMs } = this.job.options;
    this.startedAt = runtime.monotonicNow();
    this.deadline = this.startedAt + timeoutMs + extraTimeMs;
    this.#wallDeadline = runtime.now() + timeoutMs;
  }

  /** What the handler sees of it, made when it first looks: most handlers never do. */
  get current(): CurrentJob {
    this.#current ??= this.#createCurrent();
    return this.#current;
  }

  abort(reason: ReseolioError): void {
    this.#abortReason ??= reason;
    this.onAbort?.();
    const controller = this.#controller;
    // In the context of the job: what listens for the abort may ask for the current job.
    if (controller !== null) runInContext(this, () => controller.abort(this.#abortReason), []);
  }

  #createCurrent(): CurrentJob {
    const { id, name, attempt, occurrence } = this.job;
    const getSignal = (): AbortSignal => this.#signal();
    return Object.freeze({
      id,
      name,
      attempt,
      occurrence: occurrence === null ? null : Object.freeze({ ...occurrence }),
      deadline: this.#wallDeadline,
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
