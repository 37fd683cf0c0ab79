import type { JobState, Lease, StoredError } from './job.ts';
import type { Payload } from './payload.ts';

export interface SettleParams {
  readonly settlements: readonly Settlement[];
}

export interface Settlement {
  readonly lease: Lease;
  readonly outcome: AttemptOutcome;
}

/**
 * How an attempt ended, as the core decided it. Of a job that was asked to stop, all but a success leave it cancelled; its
 * attempt stands then, and an error is recorded.
 */
export type AttemptOutcome =
  | { readonly kind: 'success'; readonly result: Payload | null }
  /** The attempt failed; the job is due again in `delayMs`. */
  | { readonly kind: 'retry'; readonly error: StoredError; readonly delayMs: number }
  /** The attempt failed and was the last. */
  | { readonly kind: 'dead'; readonly error: StoredError }
  /** The attempt was given back by a graceful stop; it does not count and the job is due at once. */
  | { readonly kind: 'release' }
  | Suspension;

/**
 * The attempt waits for something that may take long. It does not count, and the job is pending, due as soon as any of this
 * is there: at once if it is there already. A job that could then never go on is dead instead (`waitCycleError`): one that
 * waits for nothing but jobs, where whatever it comes to from there is suspended and waits for nothing but jobs as well, itself
 * among them.
 */
export interface Suspension {
  readonly kind: 'suspend';
  /** Unix milliseconds on the storage's clock; null: time does not wake it ({@link NEVER_DUE}). */
  readonly wakeAt: number | null;
  /** Jobs of which one has finished, or is not there. */
  readonly awaits: readonly string[];
  /** More signals than so many; null: signals do not wake it. */
  readonly signalsSeen: number | null;
}

export type SettleResult =
  | { readonly status: 'settled'; readonly state: JobState; readonly runAt: number }
  | { readonly status: 'lease_lost' };
