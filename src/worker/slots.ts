import type { Runtime } from '../core/runtime.ts';
import type { Attempt } from './attempt.ts';
import { DeadlineQueue } from './deadline-queue.ts';

/**
 * Attempts that wait in memory for something to happen. Beyond, those that have waited longest are suspended at once, and
 * while that does not help, as with steps that are to be tried again, nothing is claimed.
 */
const MAX_PARKED = 1000;

export interface SlotsParams {
  readonly runtime: Runtime;
  /** How many slots are neither in use nor asked for by a claim that is under way. */
  readonly countFree: () => number;
  /** There may be a free slot. */
  readonly onFreed: () => void;
  readonly onTimeOut: (attempt: Attempt) => void;
}

/** Who takes up a slot, who waits without one, and who waits for one; and how long each may. */
export class Slots {
  readonly #params: SlotsParams;
  readonly #running = new Set<Attempt>();
  readonly #parked = new Set<Attempt>();
  /** Parked until now, with something to do. They come before new jobs. */
  readonly #ready = new Map<Attempt, () => void>();
  readonly #deadlines: DeadlineQueue<Attempt>;
  #isClosing = false;

  constructor(params: SlotsParams) {
    this.#params = params;
    this.#deadlines = new DeadlineQueue(params.runtime, (attempt) => {
      if (this.#parked.has(attempt)) attempt.openedWorkflow?.suspend();
      else params.onTimeOut(attempt);
    });
  }

  /** The attempts that take up a slot. */
  get running(): ReadonlySet<Attempt> {
    return this.#running;
  }

  /** All attempts, with and without a slot. */
  get all(): Attempt[] {
    return [...this.#running, ...this.#parked, ...this.#ready.keys()];
  }

  get isEmpty(): boolean {
    return this.#running.size + this.#parked.size + this.#ready.size === 0;
  }

  /** False: so much waits in memory that nothing new may begin; what can be suspended is about to be. */
  get hasRoom(): boolean {
    return this.#parked.size <= MAX_PARKED;
  }

  take(attempt: Attempt): void {
    this.#running.add(attempt);
  }

  /** Its handler is about to be called: its time-out counts. */
  begin(attempt: Attempt): void {
    this.#deadlines.add(attempt);
  }

  leave(attempt: Attempt): void {
    this.#deadlines.remove(attempt);
    this.#parked.delete(attempt);
    this.#ready.delete(attempt);
    if (this.#running.delete(attempt)) this.serve();
  }

  /** Gives the slot of an attempt that waits to others. */
  park(attempt: Attempt, suspendInMs: number): void {
    if (!this.#running.delete(attempt)) return;
    this.#deadlines.remove(attempt);
    attempt.pause(this.#params.runtime, suspendInMs);
    this.#parked.add(attempt);
    if (this.#isClosing) attempt.openedWorkflow?.suspend();
    else if (suspendInMs < Number.POSITIVE_INFINITY) this.#deadlines.add(attempt);
    if (this.#parked.size > MAX_PARKED) this.#suspendOldest();
    this.serve();
    this.#params.onFreed();
  }

  /** Calls `goOn` as soon as a parked attempt has a slot again. */
  unpark(attempt: Attempt, goOn: () => void): void {
    if (!this.#parked.delete(attempt)) return;
    this.#deadlines.remove(attempt);
    this.#ready.set(attempt, goOn);
    this.serve();
  }

  /** Gives free slots to those that wait for one. */
  serve(): void {
    for (const [attempt, goOn] of this.#ready) {
      if (this.#params.countFree() <= 0) return;
      this.#ready.delete(attempt);
      this.#running.add(attempt);
      attempt.goOn(this.#params.runtime);
      this.#deadlines.add(attempt);
      goOn();
    }
  }

  /** Suspends what waits, now and from now on. */
  suspendAll(): void {
    this.#isClosing = true;
    for (const attempt of this.#parked) attempt.openedWorkflow?.suspend();
  }

  /** Lets go of its timer. */
  close(): void {
    this.#deadlines.clear();
  }

  #suspendOldest(): void {
    for (const attempt of this.#parked) if (attempt.openedWorkflow?.suspend()) return;
  }
}
