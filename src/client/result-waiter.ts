import { ReseolioError, ResultTimeoutError } from '../core/errors.ts';
import { type FinishedJob, isFinished, type JobRecord } from '../core/job.ts';
import type { Runtime, Timer } from '../core/runtime.ts';
import type { Storage } from '../core/storage.ts';
import { type Deadlined, DeadlineQueue } from '../worker/deadline-queue.ts';
import type { StorageErrors } from '../worker/storage-errors.ts';
import { FreshJobs } from './fresh-jobs.ts';

/** Jobs that are waited for are looked at even if no hint ever comes: so many at most, so often, in turn. */
const POLL_INTERVAL_MS = 1000;
const POLL_BATCH = 1000;
const READ_BATCH = 1000;

interface Waiting extends Deadlined {
  readonly jobId: string;
  readonly timeoutMs: number | null;
  readonly resolve: (job: FinishedJob) => void;
  readonly reject: (error: unknown) => void;
  /** Called when somebody has looked, or need not, and the job has not finished. */
  readonly onPending: (() => void) | null;
  /** Called when the wait has come to an end. */
  onEnded: (() => void) | null;
}

export interface ResultWaiterParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly errors: StorageErrors;
}

/**
 * Waits for jobs to finish, in whichever process that happens. Of those that this process settles it is told; it looks
 * at a job when somebody begins to wait for it (unless it was just made), when the storage hints at it, and every second
 * (in turn, where more than 1000 are waited for); all that is to be looked at in one turn of the event loop, at once.
 */
export class ResultWaiter {
  readonly #params: ResultWaiterParams;
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #deadlines: DeadlineQueue<Waiting>;
  readonly #fresh: FreshJobs;
  /** Ids to look at next. */
  readonly #unread = new Set<string>();
  #isReading = false;
  #isScheduled = false;
  #poll: Timer | null = null;
  #pollPosition: MapIterator<string> = this.#waiting.keys();
  #failure: unknown = null;

  constructor(params: ResultWaiterParams) {
    this.#params = params;
    this.#fresh = new FreshJobs(params.runtime);
    this.#deadlines = new DeadlineQueue(params.runtime, (waiting) => this.#timeOut(waiting));
    params.errors.onFailed((error) => this.stop(error));
  }

  /**
   * Resolves with the finished job; rejects with `job_not_found`, with `result_timeout` after `timeoutMs`, or with the reason
   * of `signal`.
   */
  wait(jobId: string, timeoutMs: number | null, signal: AbortSignal | null = null): Promise<FinishedJob> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<FinishedJob>((resolve, reject) => {
      const deadline = timeoutMs === null ? Number.POSITIVE_INFINITY : this.#params.runtime.monotonicNow() + timeoutMs;
      const waiting: Waiting = {
        jobId,
        timeoutMs,
        resolve,
        reject,
        deadline,
        queueIndex: -1,
        onPending: null,
        onEnded: null,
      };
      if (signal !== null) this.#rejectWhenAborted(waiting, signal);
      if (timeoutMs !== null) this.#deadlines.add(waiting);
      this.#add(waiting);
    });
  }

  /** As {@link wait} without end, until the function that is returned is called. */
  subscribe(
    jobId: string,
    resolve: (job: FinishedJob) => void,
    reject: (error: unknown) => void,
    onPending: (() => void) | null = null,
  ): () => void {
    const rest = { timeoutMs: null, deadline: 0, queueIndex: -1, onEnded: null };
    const waiting: Waiting = { jobId, resolve, reject, onPending, ...rest };
    if (this.#failure !== null) reject(this.#failure);
    else this.#add(waiting);
    return () => this.#remove(waiting);
  }

  /** This client is about to make the job. */
  expect(jobId: string): void {
    this.#fresh.add(jobId);
  }

  /** It has not made the job: another stands for the call, or the storage rejected it. */
  unexpect(jobId: string): void {
    this.#fresh.delete(jobId);
  }

  /** A job has finished, durably, and this is how. */
  answer(jobId: string, job: FinishedJob): void {
    this.#fresh.delete(jobId);
    this.#end(jobId, ({ resolve }) => resolve(job));
  }

  /** These jobs (null: some) have finished, or so it is said. */
  look(jobIds: readonly string[] | null): void {
    if (jobIds === null) this.#fresh.clear();
    else for (const jobId of jobIds) this.#fresh.delete(jobId);
    if (this.#waiting.size === 0) return;
    for (const jobId of jobIds ?? this.#waiting.keys()) {
      if (this.#waiting.has(jobId)) this.#unread.add(jobId);
    }
    this.#scheduleRead();
  }

  /** Rejects all who wait, now and from now on, with `error`. */
  stop(error: unknown): void {
    this.#failure ??= error;
    this.#deadlines.clear();
    this.#unread.clear();
    for (const jobId of [...this.#waiting.keys()]) this.#end(jobId, ({ reject }) => reject(error));
  }

  #add(waiting: Waiting): void {
    const { jobId } = waiting;
    const others = this.#waiting.get(jobId);
    if (others === undefined) this.#waiting.set(jobId, new Set([waiting]));
    else others.add(waiting);
    if (this.#fresh.has(jobId)) {
      waiting.onPending?.();
    } else {
      this.#unread.add(jobId);
      this.#scheduleRead();
    }
    this.#schedulePoll();
  }

  #rejectWhenAborted(waiting: Waiting, signal: AbortSignal): void {
    const abort = (): void => {
      this.#deadlines.remove(waiting);
      this.#remove(waiting);
      waiting.reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    waiting.onEnded = () => signal.removeEventListener('abort', abort);
  }

  #remove(waiting: Waiting): void {
    waiting.onEnded?.();
    const waitingToo = this.#waiting.get(waiting.jobId);
    waitingToo?.delete(waiting);
    if (waitingToo?.size === 0) this.#waiting.delete(waiting.jobId);
    this.#releaseTimers();
  }

  #scheduleRead(): void {
    if (this.#isScheduled || this.#isReading || this.#unread.size === 0) return;
    this.#isScheduled = true;
    // Not before those that this process settled in the same turn have been answered.
    this.#params.runtime.setImmediate(() => {
      this.#isScheduled = false;
      void this.#read(this.#takeUnread());
    });
  }

  #takeUnread(): string[] {
    const jobIds: string[] = [];
    for (const jobId of this.#unread) {
      if (jobIds.length === READ_BATCH) break;
      this.#unread.delete(jobId);
      if (this.#waiting.has(jobId)) jobIds.push(jobId);
    }
    return jobIds;
  }

  async #read(jobIds: readonly string[]): Promise<void> {
    if (jobIds.length === 0) return this.#scheduleRead();
    this.#isReading = true;
    try {
      const records = await this.#params.storage.getJobs({ jobIds });
      for (let i = 0; i < jobIds.length; i++) this.#answerIfFinished(jobIds[i] as string, records[i] ?? null);
    } catch (error) {
      // The next poll looks again, unless the storage is gone.
      this.#params.errors.report('read', error);
    }
    this.#isReading = false;
    this.#scheduleRead();
  }

  #answerIfFinished(jobId: string, job: JobRecord | null): void {
    if (job === null) {
      this.#end(jobId, ({ reject }) => reject(new ReseolioError('job_not_found', `there is no job ${jobId}`)));
    } else if (isFinished(job.state)) {
      this.answer(jobId, job);
    } else {
      for (const { onPending } of this.#waiting.get(jobId) ?? []) onPending?.();
    }
  }

  #end(jobId: string, tell: (waiting: Waiting) => void): void {
    const ended = this.#waiting.get(jobId);
    if (ended === undefined) return;
    this.#waiting.delete(jobId);
    for (const waiting of ended) {
      waiting.onEnded?.();
      this.#deadlines.remove(waiting);
      tell(waiting);
    }
    this.#releaseTimers();
  }

  #timeOut(waiting: Waiting): void {
    const { jobId, timeoutMs, reject } = waiting;
    reject(new ResultTimeoutError(jobId, timeoutMs ?? 0));
    this.#remove(waiting);
  }

  /** Nothing but a wait keeps a process alive. */
  #releaseTimers(): void {
    this.#deadlines.disarmIfEmpty();
    if (this.#waiting.size > 0) return;
    this.#poll?.cancel();
    this.#poll = null;
  }

  /** The iterator of a Map goes on where it was, whatever is added or taken out in the meantime. */
  #lookAtNext(): void {
    const count = Math.min(POLL_BATCH, this.#waiting.size);
    for (let i = 0; i < count; i++) {
      let next = this.#pollPosition.next();
      if (next.done) {
        this.#pollPosition = this.#waiting.keys();
        next = this.#pollPosition.next();
      }
      if (!next.done) this.#unread.add(next.value);
    }
    this.#scheduleRead();
  }

  #schedulePoll(): void {
    if (this.#poll !== null || this.#waiting.size === 0) return;
    this.#poll = this.#params.runtime.setTimer(POLL_INTERVAL_MS, () => {
      this.#poll = null;
      this.#lookAtNext();
      this.#schedulePoll();
    });
  }
}
