import { ReseolioError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, ClaimedJob } from '../core/storage.ts';
import { Workflow } from '../workflow/workflow.ts';
import type { WorkflowEnvironment } from '../workflow/workflow-host.ts';
import { Attempt, type AttemptParams } from './attempt.ts';
import { nondeterminismOutcome, timeoutOutcome, timeoutReason } from './attempt-outcome.ts';
import type { EventSink } from './event-hub.ts';
import { isThenable, type RunAttempt } from './run-handler.ts';
import { Slots } from './slots.ts';
import type { WorkerEvents } from './worker-events.ts';

/** How long handlers are called one after the other before the storage gets its turn. */
const MAX_STARTING_MS = 5;

export interface ExecutorParams {
  readonly runtime: Runtime;
  readonly run: RunAttempt;
  /** How much longer than its time-out an attempt gets to say itself that it has ended. */
  readonly extraTimeMs: number;
  readonly events: EventSink<WorkerEvents>;
  /** What lets handlers remember things; null: they are elsewhere. */
  readonly workflows: WorkflowEnvironment | null;
  /** How many slots are neither in use nor asked for by a claim that is under way. */
  readonly countFreeSlots: () => number;
  /** An attempt ended with an outcome to store. */
  readonly onOutcome: (attempt: Attempt, outcome: AttemptOutcome) => void;
  /** Resolves when what the storage was told last, outcomes and heartbeats, has been answered, or soon after. */
  readonly afterStorage: () => Promise<unknown>;
  /** There may be a free slot with nothing to store before it is used. */
  readonly onSlotFreed: () => void;
}

/** Runs handlers, each until it returns, throws or times out, and decides what becomes of the attempt. */
export class Executor {
  readonly #params: ExecutorParams;
  readonly #slots: Slots;
  readonly #openWorkflow: ((attempt: Attempt) => Workflow) | null;
  /** Taken on, but their handlers have not been called yet. */
  #unstarted: Attempt[] = [];
  #isStartScheduled = false;
  #isStopping = false;
  #whenIdle: (() => void)[] = [];

  constructor(params: ExecutorParams) {
    const { runtime, workflows, countFreeSlots, onSlotFreed } = params;
    this.#params = params;
    this.#slots = new Slots({
      runtime,
      countFree: countFreeSlots,
      onFreed: onSlotFreed,
      onTimeOut: (attempt) => this.#timeOut(attempt),
    });
    this.#openWorkflow = workflows === null ? null : (attempt) => this.#createWorkflow(attempt, workflows);
  }

  /** The attempts that take up a slot. */
  get running(): ReadonlySet<Attempt> {
    return this.#slots.running;
  }

  /** All attempts, those that wait without a slot included. */
  get all(): Attempt[] {
    return this.#slots.all;
  }

  /** False: so much waits in memory that no job may be taken on. */
  get hasRoom(): boolean {
    return this.#slots.hasRoom;
  }

  /** A claim has been answered: what it leaves of the slots it asked for is free. */
  serveWaiting(): void {
    this.#slots.serve();
  }

  /**
   * Takes on claimed jobs and calls their handlers; those that are left after a while, when heartbeats and outcomes have
   * been stored. Handlers that keep the processor busy would otherwise add up to more than a lease with neither.
   */
  takeOn(jobs: readonly ClaimedJob[], claim: Pick<AttemptParams, 'leaseToken' | 'claimedAt' | 'beat'>): void {
    for (const job of jobs) {
      const attempt = new Attempt({ ...claim, job, openWorkflow: this.#openWorkflow });
      this.#slots.take(attempt);
      this.#unstarted.push(attempt);
    }
    if (this.#isStopping) this.stopStarting();
    else if (!this.#isStartScheduled) this.#startWaiting();
  }

  /** Calls no more handlers: gives back what has been taken on and not started, suspends what waits, now and from now on. */
  stopStarting(): void {
    this.#isStopping = true;
    this.#slots.suspendAll();
    for (const attempt of this.#unstarted) {
      if (attempt.endedAt === null) this.#end(attempt, giveBack(attempt.job));
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
    for (const attempt of this.#slots.all) {
      this.#end(attempt, { kind: 'release' });
      attempt.abort(reason);
    }
  }

  /** Resolves when no handler is under way. */
  whenIdle(): Promise<void> {
    if (this.#slots.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Lets go of its timer. */
  close(): void {
    this.#slots.close();
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
    this.#slots.begin(attempt);
    if (events.hasListeners('job:start')) {
      events.emit('job:start', { jobId: job.id, name: job.name, attempt: job.attempt });
    }
    const outcome = run(attempt);
    if (isThenable(outcome)) outcome.then((settled) => this.#finish(attempt, settled as AttemptOutcome));
    else this.#finish(attempt, outcome);
  }

  /** The handler has ended. What comes after a time-out, or after a release, comes too late. */
  #finish(attempt: Attempt, outcome: AttemptOutcome): void {
    attempt.isHandlerDone = true;
    attempt.hasFailed = outcome.kind !== 'success';
    const finished = attempt.openedWorkflow?.finish(outcome) ?? outcome;
    if (finished instanceof Promise) void finished.then((settled) => this.#endUnlessOver(attempt, settled));
    else this.#endUnlessOver(attempt, finished);
  }

  #endUnlessOver(attempt: Attempt, outcome: AttemptOutcome): void {
    if (attempt.endedAt === null) this.#end(attempt, attempt.isLeaseLost ? null : outcome);
  }

  #timeOut(attempt: Attempt): void {
    const { job, isLeaseLost, openedWorkflow } = attempt;
    const reason = timeoutReason(job);
    const stuck = openedWorkflow?.describeStuck() ?? null;
    const outcome =
      stuck === null ? timeoutOutcome(job, reason, this.#params.runtime.random()) : nondeterminismOutcome(stuck);
    this.#end(attempt, isLeaseLost ? null : outcome);
    attempt.abort(reason);
  }

  #createWorkflow(attempt: Attempt, environment: WorkflowEnvironment): Workflow {
    const { runtime } = this.#params;
    const { job, lease, claimedAt } = attempt;
    return new Workflow({
      job,
      lease,
      isResumed: job.isResumed,
      environment,
      host: {
        storageNow: () => (job.startedAt as number) + runtime.monotonicNow() - claimedAt,
        park: (suspendInMs) => this.#slots.park(attempt, suspendInMs),
        unpark: (goOn) => this.#slots.unpark(attempt, goOn),
        end: (outcome) => this.#endUnlessOver(attempt, outcome),
        loseLease: () => this.loseLease(attempt),
      },
    });
  }

  #end(attempt: Attempt, outcome: AttemptOutcome | null): void {
    const { runtime, onOutcome, onSlotFreed } = this.#params;
    attempt.endedAt = runtime.monotonicNow();
    this.#slots.leave(attempt);
    if (outcome === null || attempt.isLeaseLost) onSlotFreed();
    else onOutcome(attempt, outcome);
    if (this.#slots.isEmpty && this.#whenIdle.length > 0) this.#notifyIdle();
  }

  #notifyIdle(): void {
    const callbacks = this.#whenIdle;
    this.#whenIdle = [];
    for (const callback of callbacks) callback();
  }
}

/** Of a job that has not been started; one that was to go on with the attempt that was is still to do so. */
function giveBack({ isResumed, startedAt }: ClaimedJob): AttemptOutcome {
  return isResumed ? { kind: 'suspend', wakeAt: startedAt, awaits: [], signalsSeen: null } : { kind: 'release' };
}
