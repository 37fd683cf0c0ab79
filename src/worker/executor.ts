import { ReseolioError } from '../core/errors.ts';
import type { JobRecord } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome } from '../core/storage.ts';
import { Attempt } from './attempt.ts';
import { timeoutOutcome, timeoutReason } from './attempt-outcome.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import type { EventSink } from './event-hub.ts';
import { isThenable, type RunAttempt } from './run-handler.ts';
import type { WorkerEvents } from './worker-events.ts';

/** How long handlers are called one after the other before the storage gets its turn. */
const MAX_STARTING_MS = 5;

export interface ExecutorParams {
  readonly runtime: Runtime;
  readonly run: RunAttempt;
  /** How much longer than its time-out an attempt gets to say itself that it has ended. */
  readonly extraTimeMs: number;
  readonly events: EventSink<WorkerEvents>;
  /** An attempt ended with an outcome to store. */
  readonly onOutcome: (attempt: Attempt, outcome: AttemptOutcome) => void;
  /** Resolves when what the storage was told last, outcomes and heartbeats, has been answered, or soon after. */
  readonly afterStorage: () => Promise<unknown>;
  /** An attempt whose lease was lost ended; there is nothing to store. */
  readonly onDropped: () => void;
}

/** Runs handlers, each until it returns, throws or times out, and decides what becomes of the attempt. */
export class Executor {
  readonly #params: ExecutorParams;
  /** The attempts that take up a slot. */
  readonly #running = new Set<Attempt>();
  readonly #deadlines: DeadlineQueue<Attempt>;
  /** Taken on, but their handlers have not been called yet. */
  #unstarted: Attempt[] = [];
  #isStartScheduled = false;
  #isStopping = false;
  #whenIdle: (() => void)[] = [];

  constructor(params: ExecutorParams) {
    this.#params = params;
    this.#deadlines = new DeadlineQueue(params.runtime, (attempt) => this.#timeOut(attempt));
  }

  get running(): ReadonlySet<Attempt> {
    return this.#running;
  }

  /**
   * Takes on claimed jobs and calls their handlers; those that are left after a while, when heartbeats and outcomes have
   * been stored. Handlers that keep the processor busy would otherwise add up to more than a lease with neither.
   */
  takeOn(jobs: readonly JobRecord[], leaseToken: string, beat: number): void {
    for (const job of jobs) {
      const attempt = new Attempt({ job, leaseToken, beat });
      this.#running.add(attempt);
      this.#unstarted.push(attempt);
    }
    if (this.#isStopping) this.stopStarting();
    else if (!this.#isStartScheduled) this.#startWaiting();
  }

  /** Calls no more handlers: gives back what has been taken on and not started, now and from now on. */
  stopStarting(): void {
    this.#isStopping = true;
    for (const attempt of this.#unstarted) {
      if (attempt.endedAt === null) this.#end(attempt, { kind: 'release' });
    }
    this.#unstarted = [];
  }

  /** The storage says that `attempt` belongs to another worker by now. Its slot is taken until its handler ends. */
  loseLease(attempt: Attempt): void {
    if (attempt.isLeaseLost || attempt.endedAt !== null) return;
    attempt.isLeaseLost = true;
    const { id, attempt: number } = attempt.job;
    attempt.abort(
      new ReseolioError('lease_lost', `the lease of attempt ${number} of job ${id} was lost; its outcome is not taken`),
    );
  }

  /** Gives back all that still runs. The handlers go on, but what they return is not taken. */
  releaseAll(): void {
    const reason = new ReseolioError('shutting_down', 'the client is stopping and its grace time is over');
    for (const attempt of this.#running) {
      this.#end(attempt, { kind: 'release' });
      attempt.abort(reason);
    }
  }

  /** Resolves when no handler takes up a slot. */
  whenIdle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Lets go of its timer. */
  close(): void {
    this.#deadlines.clear();
  }

  #startWaiting(): void {
    const { runtime } = this.#params;
    const stopAt = runtime.monotonicNow() + MAX_STARTING_MS;
    let count = 0;
    for (const attempt of this.#unstarted) {
      count++;
      if (attempt.endedAt === null) this.#start(attempt);
      if (runtime.monotonicNow() > stopAt) break;
    }
    this.#unstarted = this.#unstarted.slice(count);
    if (this.#unstarted.length === 0) return;
    this.#isStartScheduled = true;
    // One turn first, in which timers fire and outcomes are handed to the storage.
    runtime.setImmediate(() => void this.#goOnAfterStorage());
  }

  async #goOnAfterStorage(): Promise<void> {
    await this.#params.afterStorage();
    this.#isStartScheduled = false;
    this.#startWaiting();
  }

  #start(attempt: Attempt): void {
    const { runtime, run, events, extraTimeMs } = this.#params;
    const { job, isLeaseLost } = attempt;
    if (isLeaseLost) {
      this.#end(attempt, null);
      return;
    }
    attempt.begin(runtime, extraTimeMs);
    this.#deadlines.add(attempt);
    if (events.hasListeners('job:start')) {
      events.emit('job:start', { jobId: job.id, name: job.name, attempt: job.attempt });
    }
    const outcome = run(attempt);
    if (isThenable(outcome)) outcome.then((settled) => this.#finish(attempt, settled as AttemptOutcome));
    else this.#finish(attempt, outcome);
  }

  /** What comes after a time-out, or after a release, comes too late. */
  #finish(attempt: Attempt, outcome: AttemptOutcome): void {
    if (attempt.endedAt === null) this.#end(attempt, attempt.isLeaseLost ? null : outcome);
  }

  #timeOut(attempt: Attempt): void {
    const reason = timeoutReason(attempt.job);
    const { job, isLeaseLost } = attempt;
    this.#end(attempt, isLeaseLost ? null : timeoutOutcome(job, reason, this.#params.runtime.random()));
    attempt.abort(reason);
  }

  #end(attempt: Attempt, outcome: AttemptOutcome | null): void {
    const { runtime, onOutcome, onDropped } = this.#params;
    attempt.endedAt = runtime.monotonicNow();
    this.#running.delete(attempt);
    this.#deadlines.remove(attempt);
    if (outcome === null || attempt.isLeaseLost) onDropped();
    else onOutcome(attempt, outcome);
    if (this.#running.size === 0 && this.#whenIdle.length > 0) this.#notifyIdle();
  }

  #notifyIdle(): void {
    const callbacks = this.#whenIdle;
    this.#whenIdle = [];
    for (const callback of callbacks) callback();
  }
}
