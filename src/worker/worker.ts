import { AsyncResource } from 'node:async_hooks';
import type { FinishedJob } from '../core/job.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ClaimedJob, SettleResult, Storage } from '../core/storage.ts';
import type { WorkflowEnvironment } from '../workflow/workflow-host.ts';
import type { Attempt } from './attempt.ts';
import { Claimer } from './claimer.ts';
import type { EventSink } from './event-hub.ts';
import { Executor } from './executor.ts';
import { Heartbeat } from './heartbeat.ts';
import type { RunAttempt } from './run-handler.ts';
import { Settler } from './settler.ts';
import { settlesWithin } from './settles-within.ts';
import type { StorageErrors } from './storage-errors.ts';
import type { WorkNames } from './work-names.ts';
import type { WorkerEvents } from './worker-events.ts';

/** How long handlers that wait for their turn are held up for the storage. */
const MAX_STORAGE_WAIT_MS = 100;
/** While so many outcomes for each slot wait to be stored, nothing more is claimed. */
const MAX_UNSETTLED_PER_SLOT = 10;

export interface WorkerParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly workNames: WorkNames;
  readonly run: RunAttempt;
  /** What lets handlers remember things; null: they are elsewhere. */
  readonly workflows: WorkflowEnvironment | null;
  /** How much longer than its time-out an attempt gets to say itself that it has ended. */
  readonly extraTimeMs: number;
  readonly events: EventSink<WorkerEvents>;
  readonly errors: StorageErrors;
  readonly tokens: JobIdGenerator;
  readonly workerId: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** A job has finished, durably, under this worker. */
  readonly onFinished: (jobId: string, job: FinishedJob) => void;
  /** A job that was asked to stop has ended cancelled, durably, under this worker. */
  readonly onCancelled: (jobId: string) => void;
  /** The storage has answered what became of an attempt's outcome, or (null) has not and is not asked any more. */
  readonly onSettled: ((attempt: Attempt, result: SettleResult | null) => void) | null;
}

/** Claims jobs of its names, runs them, and settles them. */
export class Worker {
  readonly #params: WorkerParams;
  readonly #claimer: Claimer;
  readonly #executor: Executor;
  readonly #settler: Settler;
  readonly #heartbeat: Heartbeat;
  /** Handlers are called from here, and not in the context of whoever happened to enqueue their job. */
  readonly #scope = new AsyncResource('ReseolioWorker');
  #concurrency: number;
  #stopListening: () => void = () => {};

  constructor(params: WorkerParams) {
    this.#params = params;
    this.#concurrency = params.concurrency;
    const claimIfFree = (): void => this.#claimer.claimIfFree();
    this.#settler = new Settler({ ...params, onProgress: claimIfFree });
    this.#executor = new Executor({
      ...params,
      onOutcome: (attempt, outcome) => this.#settler.add(attempt, outcome),
      onSlotFreed: claimIfFree,
      countFreeSlots: () => this.#concurrency - this.#executor.running.size - this.#claimer.askedSlots,
      afterStorage: () =>
        settlesWithin(
          params.runtime,
          Promise.all([this.#settler.inFlight, this.#heartbeat.inFlight]),
          MAX_STORAGE_WAIT_MS,
        ),
    });
    this.#heartbeat = new Heartbeat({
      ...params,
      listHeld: () => [...this.#executor.all, ...this.#settler.unsettled],
      onLost: (attempt) => this.#loseLease(attempt),
    });
    this.#claimer = new Claimer({
      ...params,
      countFreeSlots: () => this.#countFreeSlots(),
      onClaimed: (jobs, leaseToken, askedAt) => {
        this.#scope.runInAsyncScope(() => this.#takeOn(jobs, leaseToken, askedAt));
      },
      onAnswered: () => this.#executor.serveWaiting(),
    });
  }

  start(): void {
    const { workNames, errors } = this.#params;
    this.#stopListening = errors.onFailed(() => this.#abandonAll());
    workNames.onAdded(() => this.#claimer.wake());
    this.#heartbeat.start();
    this.#claimer.wake();
  }

  /** Jobs of `names` (null: of any) may be due. */
  wake(names: readonly string[] | null): void {
    if (names === null || names.some((name) => this.#params.workNames.has(name))) this.#claimer.wake();
  }

  /** These jobs (null: some) were sent signals, or asked to stop. */
  lookAt(jobIds: readonly string[] | null): void {
    const wanted = jobIds === null ? null : new Set(jobIds);
    const attempts = this.#executor.all.filter(({ job }) => wanted === null || wanted.has(job.id));
    for (const { openedWorkflow } of attempts) openedWorkflow?.lookForSignals();
    if (wanted !== null && attempts.length > 0) this.#heartbeat.check(attempts);
  }

  /** How many attempts it runs at once, from the next {@link wake} or change of names on; those beyond go on. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
  }

  /**
   * Claims no more; gives running handlers `graceMs` to end, then releases their jobs. Resolves when all outcomes are
   * stored, or after `settleBoundMs` more.
   */
  async stop(graceMs: number, settleBoundMs: number): Promise<void> {
    const { runtime } = this.#params;
    const lastClaim = this.#claimer.stop();
    this.#executor.stopStarting();
    await settlesWithin(runtime, this.#executor.whenIdle(), graceMs);
    this.#executor.releaseAll();
    const allStored = lastClaim.then(() => this.#settler.whenEmpty());
    await settlesWithin(runtime, allStored, settleBoundMs);
    this.#heartbeat.stop();
    this.#settler.close();
    this.#executor.close();
    this.#stopListening();
  }

  #countFreeSlots(): number {
    if (!this.#executor.hasRoom) return 0;
    const concurrency = this.#concurrency;
    const unsettledRoom = concurrency * MAX_UNSETTLED_PER_SLOT - this.#settler.unsettled.size;
    return Math.min(concurrency - this.#executor.running.size, unsettledRoom);
  }

  #takeOn(jobs: readonly ClaimedJob[], leaseToken: string, claimedAt: number): void {
    this.#executor.takeOn(jobs, { leaseToken, claimedAt, beat: this.#heartbeat.beat });
  }

  #loseLease(attempt: Attempt): void {
    if (attempt.endedAt === null) this.#executor.loseLease(attempt);
    else attempt.isLeaseLost = true;
  }

  /** The storage is gone: no lease can be kept and no outcome be stored. */
  #abandonAll(): void {
    void this.#claimer.stop();
    this.#heartbeat.stop();
    for (const attempt of this.#executor.all) this.#executor.loseLease(attempt);
    this.#settler.close();
  }
}
