/**
 * Where time, randomness and timers come from. Everything in core, client, worker, maintenance and the memory
 * backend gets them from here, so that a test (or a simulator) can drive the whole engine from one seed.
 */
export interface Runtime {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since some moment in the past; never goes back and never jumps, unlike {@link now}. */
  monotonicNow(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Fills `bytes` with random bytes, for identifiers. */
  fillRandom(bytes: Uint8Array): void;
  /** Calls `callback` once after `delayMs`. The timer keeps the process alive until it fires or is cancelled. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` once, after the I/O of the present turn of the event loop. */
  setImmediate(callback: () => void): void;
  /**
   * Calls `callback` once, when all promise callbacks that are due have run, and all that follow from them, but in the same
   * turn of the event loop: before I/O, timers, and immediates.
   */
  afterPromises(callback: () => void): void;
}

export interface Timer {
  /** Idempotent; a timer that has fired can be cancelled too. */
  cancel(): void;
}

/** Longest delay a Node timer takes; a longer one would fire at once. Those who wait longer set it again. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The real clock, randomness and timers of this process. */
export function createSystemRuntime(): Runtime {
  return {
    now: Date.now,
    monotonicNow: () => performance.now(),
    random: Math.random,
    fillRandom: (bytes) => {
      globalThis.crypto.getRandomValues(bytes);
    },
    setTimer: (delayMs, callback) => {
      const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
      return { cancel: () => clearTimeout(timer) };
    },
    setImmediate: (callback) => {
      setImmediate(callback);
    },
    afterPromises,
  };
}

/**
 * What a promise callback hands to `process.nextTick` runs when no promise callbacks are left. It is done twice, so that what
 * waits for a tick itself comes first.
 */
export function afterPromises(callback: () => void): void {
  const afterThis = (next: () => void): void => queueMicrotask(() => process.nextTick(next));
  afterThis(() => afterThis(callback));
}
