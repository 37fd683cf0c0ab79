import type { Runtime, Timer } from '../core/runtime.ts';
import type { BegunStep, Operation, StepOutcome } from '../core/step.ts';

export interface Answer {
  readonly outcome: StepOutcome;
  /** The job that stands for a child. */
  readonly jobId: string | null;
}

/** What becomes of a request that nothing is remembered of; `begun`: since an earlier run. */
export type StartRequest = (request: Request, begun: BegunStep | null) => void;

/** What a handler has asked for and not been answered. */
export class Request {
  readonly operation: Operation;
  readonly name: string;
  readonly start: StartRequest;
  readonly answer: Promise<Answer>;
  /** Its place among all requests, counted from 0; -1 before it has one. */
  position = -1;
  /** It is under way, and what it waits for may take long. */
  isWaiting = false;
  /** When time ends it, Unix milliseconds on the storage's clock; null: not before something else does. */
  wakeAt: number | null = null;
  /** Its outcome is known, though not told yet. */
  hasEnded = false;
  /** Whether what it waits for is there already, nobody knows yet: neither a time-out nor a suspension comes before that. */
  isLooking = false;
  /** Lets go of what it waits for. */
  stopListening: (() => void) | null = null;
  /** Ends it if what it waits for has been read. */
  take: (() => void) | null = null;
  /** Reads whether what it waits for is there, and says so to the workflow if it is not. */
  look: (() => void) | null = null;
  /** Its time is over: unless the next look finds something, this ends it. */
  isElapsed = false;
  #timer: Timer | null = null;
  #poll: Timer | null = null;
  resolve: (answer: Answer) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #isDecided = false;
  #onDecided: (() => void) | null = null;

  constructor(operation: Operation, name: string, start: StartRequest) {
    this.operation = operation;
    this.name = name;
    this.start = start;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  reject(error: unknown): void {
    // A handler may have lost interest in it.
    this.answer.catch(() => {});
    this.#reject(error);
    this.decide();
  }

  /** Resolves when it is known whether its answer is remembered, or there will be none; null: it is known already. */
  whenDecided(): Promise<void> | null {
    if (this.position >= 0 || this.#isDecided) return null;
    return new Promise((resolve) => {
      this.#onDecided = resolve;
    });
  }

  decide(): void {
    this.#isDecided = true;
    this.#onDecided?.();
    this.#onDecided = null;
  }

  /** Calls `onElapsed` when `now`, the storage's clock, has come to the time that ends it. */
  setTimer(runtime: Pick<Runtime, 'setTimer'>, now: () => number, onElapsed: () => void): void {
    const wakeAt = this.wakeAt ?? Number.POSITIVE_INFINITY;
    // At least one millisecond: a timer may fire just before the clock gets there.
    this.#timer = runtime.setTimer(Math.max(1, wakeAt - now()), () => {
      if (now() < wakeAt) this.setTimer(runtime, now, onElapsed);
      else onElapsed();
    });
  }

  /** Calls `look` after `delayMs`, unless it is asked to look again before. */
  lookAgain(runtime: Pick<Runtime, 'setTimer'>, delayMs: number, look: () => void): void {
    this.#poll?.cancel();
    this.#poll = runtime.setTimer(delayMs, look);
  }

  /** It waits for nothing any more. */
  letGo(): void {
    this.isWaiting = false;
    this.isLooking = false;
    this.stopListening?.();
    this.stopListening = null;
    this.take = null;
    this.look = null;
    this.#timer?.cancel();
    this.#timer = null;
    this.#poll?.cancel();
    this.#poll = null;
  }
}
