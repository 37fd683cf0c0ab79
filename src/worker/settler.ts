import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import { type FinishedJob, type JobState, type StoredError, waitCycleError } from '../core/job.ts';
import type { Runtime, Timer } from '../core/runtime.ts';
import type { AttemptOutcome, Settlement, SettleResult, Storage } from '../core/storage.ts';
import type { Attempt } from './attempt.ts';
import type { EventSink } from './event-hub.ts';
import type { StorageErrors } from './storage-errors.ts';
import type { WorkerEvents } from './worker-events.ts';

const MAX_BATCH = 1000;

export interface SettlerParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly events: EventSink<WorkerEvents>;
  readonly errors: StorageErrors;
  /** Outcomes were just handed to the storage, or have been stored: there may be room for a claim. */
  readonly onProgress: () => void;
  /** A job has finished, durably. */
  readonly onFinished: (jobId: string, job: FinishedJob) => void;
  /** A job that was asked to stop has ended cancelled, durably. */
  readonly onCancelled: (jobId: string) => void;
  /** The storage has answered what became of an attempt's outcome; or (null) it has not, and is not asked any more. */
  readonly onSettled: ((attempt: Attempt, result: SettleResult | null) => void) | null;
}

/** Stores the outcomes of attempts: those of one turn of the event loop together, repeated until they are stored. */
export class Settler {
  readonly #params: SettlerParams;
  readonly #unsettled = new Set<Attempt>();
  #queue: Attempt[] = [];
  #isScheduled = false;
  #failures = 0;
  #backoff: Timer | null = null;
  #isClosed = false;
  #whenEmpty: (() => void)[] = [];
  #inFlight: Promise<void> = Promise.resolve();

  constructor(params: SettlerParams) {
    this.#params = params;
  }

  /** The attempts that have ended but whose outcome is not known to be stored. */
  get unsettled(): ReadonlySet<Attempt> {
    return this.#unsettled;
  }

  /** Resolves when the outcomes that were handed to the storage last have been answered. */
  get inFlight(): Promise<void> {
    return this.#inFlight;
  }

  add(attempt: Attempt, outcome: AttemptOutcome): void {
    if (this.#isClosed) return;
    attempt.outcome = outcome;
    this.#unsettled.add(attempt);
    this.#queue.push(attempt);
    this.#schedule();
  }

  /** Resolves when every outcome is stored or given up. */
  whenEmpty(): Promise<void> {
    if (this.#unsettled.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Gives up what is not stored; the leases expire, and the attempts count as lost. */
  close(): void {
    this.#isClosed = true;
    this.#backoff?.cancel();
    this.#backoff = null;
    this.#queue = [];
    for (const attempt of this.#unsettled) this.#giveUp(attempt);
    this.#notifyEmpty();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#backoff !== null || this.#queue.length === 0) return;
    this.#isScheduled = true;
    // Handlers that return in one turn are settled together; a whole turn of the event loop later would be too late
    // for the commit that begins at the end of this one.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (let start = 0; start < queue.length; start += MAX_BATCH) {
      const isWhole = start === 0 && queue.length <= MAX_BATCH;
      this.#inFlight = this.#settle(isWhole ? queue : queue.slice(start, start + MAX_BATCH));
    }
    // In the same tick, so that a storage with group commit takes the next claim into the commit of these outcomes.
    this.#params.onProgress();
  }

  async #settle(batch: readonly Attempt[]): Promise<void> {
    let results: SettleResult[];
    try {
      results = await this.#params.storage.settle({ settlements: batch.map(toSettlement) });
    } catch (error) {
      this.#handleError(error, batch);
      return;
    }
    if (this.#isClosed) return;
    this.#failures = 0;
    for (let i = 0; i < batch.length; i++) {
      const attempt = batch[i] as Attempt;
      this.#unsettled.delete(attempt);
      this.#tell(attempt, results[i] as SettleResult);
    }
    this.#notifyIfEmpty();
    this.#params.onProgress();
  }

  /** A settle can be repeated: one that took effect all the same is told so. */
  #handleError(error: unknown, batch: readonly Attempt[]): void {
    if (this.#isClosed) return;
    if (this.#params.errors.report('settle', error)) {
      this.close();
      return;
    }
    for (const attempt of batch) {
      if (attempt.isLeaseLost) this.#giveUp(attempt);
      else this.#queue.push(attempt);
    }
    this.#notifyIfEmpty();
    if (this.#backoff !== null) return;
    const { runtime } = this.#params;
    this.#failures++;
    this.#backoff = runtime.setTimer(retryDelayMs(STORAGE_BACKOFF, this.#failures, runtime.random()), () => {
      this.#backoff = null;
      this.#dropLost();
      this.#schedule();
    });
  }

  #giveUp(attempt: Attempt): void {
    this.#unsettled.delete(attempt);
    this.#params.onSettled?.(attempt, null);
  }

  #dropLost(): void {
    for (const attempt of this.#queue) if (attempt.isLeaseLost) this.#giveUp(attempt);
    this.#queue = this.#queue.filter((attempt) => !attempt.isLeaseLost);
    this.#notifyIfEmpty();
  }

  #tell(attempt: Attempt, result: SettleResult): void {
    this.#params.onSettled?.(attempt, result);
    if (result.status === 'lease_lost') return;
    const { events, onFinished, onCancelled } = this.#params;
    const { job, outcome } = attempt;
    const { state } = result;
    if (state === 'cancelled') onCancelled(job.id);
    if (outcome === null || outcome.kind === 'release') return;
    if (outcome.kind === 'success') {
      if (state === 'success') onFinished(job.id, { state, attempt: job.attempt, result: outcome.result, error: null });
      if (!events.hasListeners('job:success')) return;
      const durationMs = (attempt.endedAt ?? 0) - (attempt.startedAt ?? 0);
      events.emit('job:success', { jobId: job.id, name: job.name, attempt: job.attempt, durationMs });
      return;
    }
    const error = errorOf(job.id, outcome, state);
    if (error === null) return;
    // A repeat may be told that the job has been retried since.
    if (state === 'dead') onFinished(job.id, { state, attempt: job.attempt, result: null, error });
    const failed = { jobId: job.id, name: job.name, attempt: job.attempt, error };
    const isRetried = outcome.kind === 'retry' && state !== 'cancelled';
    events.emit('job:error', { ...failed, retryInMs: isRetried ? outcome.delayMs : null });
    if (!isRetried && state !== 'cancelled') events.emit('job:dead', failed);
  }

  #notifyIfEmpty(): void {
    if (this.#unsettled.size === 0 && this.#whenEmpty.length > 0) this.#notifyEmpty();
  }

  #notifyEmpty(): void {
    const callbacks = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const callback of callbacks) callback();
  }
}

function toSettlement({ lease, outcome }: Attempt): Settlement {
  return { lease, outcome: outcome as AttemptOutcome };
}

/** What went wrong; null for a job that is suspended. */
function errorOf(jobId: string, outcome: AttemptOutcome, state: JobState): StoredError | null {
  if ('error' in outcome) return outcome.error;
  return state === 'dead' ? waitCycleError(jobId) : null;
}
