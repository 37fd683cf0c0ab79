import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import type { Runtime, Timer } from '../core/runtime.ts';
import type { ClaimedJob, ClaimParams, ClaimResult, Storage } from '../core/storage.ts';
import type { StorageErrors } from './storage-errors.ts';
import type { WorkNames } from './work-names.ts';

/** How long a worker goes without looking. Hints make it look at once, but every one of them may be lost. */
const POLL_INTERVAL_MS = 1000;

export interface ClaimerParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly workNames: WorkNames;
  readonly errors: StorageErrors;
  readonly tokens: JobIdGenerator;
  readonly workerId: string;
  readonly leaseMs: number;
  /** How many jobs can be taken on now. */
  readonly countFreeSlots: () => number;
  /** `askedAt`: when the storage was asked, on the monotonic clock. */
  readonly onClaimed: (jobs: readonly ClaimedJob[], leaseToken: string, askedAt: number) => void;
  /** A claim has been answered, and its jobs, if any, have been handed on. */
  readonly onAnswered: () => void;
}

/** Takes jobs as slots become free and jobs due, with one claim at a time. */
export class Claimer {
  readonly #params: ClaimerParams;
  #isStopped = false;
  /** Something may be due that no claim has asked for yet. */
  #hasWork = true;
  #isClaiming = false;
  /** Slots that the claim under way, or the one that is to be repeated, asks jobs for. */
  #askedSlots = 0;
  #inFlight: Promise<void> | null = null;
  #timer: Timer | null = null;
  #failures = 0;
  #rotation = 0;

  constructor(params: ClaimerParams) {
    this.#params = params;
  }

  /** How many slots a claim that is under way, or is to be repeated, is to fill. */
  get askedSlots(): number {
    return this.#askedSlots;
  }

  /** Something may be due. With free slots the storage is asked before this returns. */
  wake(): void {
    this.#hasWork = true;
    this.claimIfFree();
  }

  /** Claims if something may be due and there are slots for it. */
  claimIfFree(): void {
    if (!this.#hasWork || this.#isClaiming || this.#failures > 0 || this.#isStopped) return;
    const limit = this.#params.countFreeSlots();
    if (limit > 0 && this.#params.workNames.names.length > 0) this.#claim(this.#createParams(limit));
  }

  /** Claims no more. Resolves when the claim that was under way, if any, has been answered and handed on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer();
    if (!this.#isClaiming) this.#giveUpSlots();
    await this.#inFlight;
  }

  #createParams(limit: number): ClaimParams {
    const { tokens, workerId, leaseMs } = this.#params;
    return { workerId, leaseToken: tokens.next(), names: this.#rotatedNames(), limit, leaseMs };
  }

  /** Each name comes first in turn, so that none starves where the limit is below the number of names. */
  #rotatedNames(): readonly string[] {
    const { names } = this.#params.workNames;
    if (names.length === 1) return names;
    const first = this.#rotation++ % names.length;
    return [...names.slice(first), ...names.slice(0, first)];
  }

  #claim(params: ClaimParams): void {
    this.#hasWork = false;
    this.#isClaiming = true;
    this.#askedSlots = params.limit;
    this.#cancelTimer();
    this.#inFlight = this.#askStorage(params);
  }

  async #askStorage(params: ClaimParams): Promise<void> {
    const askedAt = this.#params.runtime.monotonicNow();
    let result: ClaimResult;
    try {
      result = await this.#params.storage.claim(params);
    } catch (error) {
      this.#isClaiming = false;
      this.#handleError(error, params);
      return;
    }
    this.#isClaiming = false;
    this.#askedSlots = 0;
    this.#failures = 0;
    if (result.jobs.length > 0) this.#params.onClaimed(result.jobs, params.leaseToken, askedAt);
    this.#params.onAnswered();
    if (result.jobs.length >= params.limit) this.#hasWork = true;
    if (this.#hasWork) this.claimIfFree();
    if (!this.#isClaiming && !this.#hasWork) this.#sleep(result.nextDueInMs ?? POLL_INTERVAL_MS);
  }

  #handleError(error: unknown, params: ClaimParams): void {
    const { runtime, errors } = this.#params;
    if (this.#isStopped || errors.report('claim', error)) {
      this.#isStopped = true;
      this.#giveUpSlots();
      return;
    }
    this.#failures++;
    this.#timer = runtime.setTimer(retryDelayMs(STORAGE_BACKOFF, this.#failures, runtime.random()), () => {
      this.#timer = null;
      // As it was: its outcome is unknown, and the storage may hand over again what it took.
      this.#claim(params);
    });
  }

  /** There will be no more claims. */
  #giveUpSlots(): void {
    this.#askedSlots = 0;
    this.#params.onAnswered();
  }

  #sleep(untilDueMs: number): void {
    if (this.#isStopped) return;
    // Never less than a millisecond: what is due now was there for the claim already, and others were faster.
    const delayMs = Math.min(Math.max(1, untilDueMs), POLL_INTERVAL_MS);
    this.#timer = this.#params.runtime.setTimer(delayMs, () => {
      this.#timer = null;
      this.wake();
    });
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
