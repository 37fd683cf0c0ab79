import { afterPromises, MAX_TIMER_MS, type Runtime, type Timer } from '../core/runtime.ts';

/** Turns of the real event loop that must pass with nothing new before the engine counts as settled. */
const QUIET_TURNS = 3;

export interface DrivenRuntimeParams {
  /** Everything random follows from it. Default 1. */
  readonly seed?: number;
  /** Where the clock starts, Unix milliseconds. Default 2026-01-01T00:00:00Z. */
  readonly startAt?: number;
}

interface PendingTimer {
  readonly dueAt: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/**
 * A {@link Runtime} whose clock stands still until `advance` moves it, and whose randomness follows from a seed.
 *
 * Timers fire inside `advance`, in the order they are due, with the clock at their time. Promises and `setImmediate`
 * callbacks run by themselves, on the real event loop, so code that awaits either needs no driving. For a storage
 * whose I/O is real, hand its calls to `track` (or wrap it in `trackStorage`): `advance` and `drain` then wait
 * for them.
 */
export class DrivenRuntime implements Runtime {
  /** Of the clock that timers go by. */
  #nowMs: number;
  #clockStepMs = 0;
  #state: number;
  #timers: PendingTimer[] = [];
  #timerSequence = 0;
  #immediates: (() => void)[] = [];
  #activity = 0;
  #trackedCount = 0;
  #isAdvancing = false;

  constructor({ seed = 1, startAt = 1_767_225_600_000 }: Readonly<DrivenRuntimeParams> = {}) {
    this.#nowMs = startAt;
    this.#state = seed >>> 0;
  }

  now = (): number => this.#nowMs + this.#clockStepMs;

  monotonicNow = (): number => this.#nowMs;

  /** Sets the wall clock forward or back, as an operator or NTP does: no time passes and no timer fires. */
  stepClock(ms: number): void {
    this.#clockStepMs += ms;
  }

  /** mulberry32: 32 random bits a call, the whole period from any seed. */
  random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  fillRandom = (bytes: Uint8Array): void => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(this.random() * 256);
  };

  setTimer = (delayMs: number, callback: () => void): Timer => {
    const dueAt = this.#nowMs + Math.min(Math.max(0, delayMs), MAX_TIMER_MS);
    const timer: PendingTimer = { dueAt, sequence: ++this.#timerSequence, callback };
    this.#timers.push(timer);
    this.#activity++;
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  };

  setImmediate = (callback: () => void): void => {
    this.#activity++;
    this.#immediates.push(callback);
    if (this.#immediates.length > 1) return;
    setImmediate(() => {
      const turn = this.#immediates;
      this.#immediates = [];
      for (const run of turn) run();
    });
  };

  afterPromises = (callback: () => void): void => {
    this.#activity++;
    afterPromises(callback);
  };

  /** Timers that were set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Makes `advance` and `drain` wait for `promise`. It must not itself wait for a timer of this runtime. */
  track<T>(promise: Promise<T>): Promise<T> {
    this.#trackedCount++;
    this.#activity++;
    const end = (): void => {
      this.#trackedCount--;
      this.#activity++;
    };
    promise.then(end, end);
    return promise;
  }

  /** Moves the clock, fires what becomes due on the way, and resolves when all that follows from it has run. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`the clock cannot move by ${ms} ms`);
    if (this.#isAdvancing) throw new Error('advance was called before the one before it had resolved');
    this.#isAdvancing = true;
    try {
      await this.drain();
      const target = this.#nowMs + ms;
      for (let timer = this.#takeDue(target); timer !== null; timer = this.#takeDue(target)) {
        this.#nowMs = Math.max(this.#nowMs, timer.dueAt);
        timer.callback();
        await this.drain();
      }
      this.#nowMs = target;
      await this.drain();
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** Resolves when nothing runs any more without the clock moving. */
  async drain(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      const before = this.#activity;
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#activity !== before || this.#trackedCount > 0) quiet = -1;
    }
  }

  #takeDue(target: number): PendingTimer | null {
    let first: PendingTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueAt > target) continue;
      if (first === null || timer.dueAt < first.dueAt) first = timer;
    }
    if (first !== null) this.#timers = this.#timers.filter((timer) => timer !== first);
    return first;
  }
}
