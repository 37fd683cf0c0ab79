import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import type { Runtime, Timer } from '../core/runtime.ts';

export interface MaintenanceLoopParams {
  readonly runtime: Runtime;
  /** Before the first step. */
  readonly firstDelayMs: number;
  /** Does a bounded piece of work; resolves with the milliseconds until it is to be called again. */
  readonly step: () => Promise<number>;
  /** Tells of an error; true if there is no point in going on. */
  readonly reportError: (error: unknown) => boolean;
}

/** Calls a step again and again until it is stopped, with backoff while it fails; sooner when it is woken. */
export class MaintenanceLoop {
  readonly #params: MaintenanceLoopParams;
  #timer: Timer | null = null;
  #isStopped = false;
  #isWoken = false;
  #failures = 0;
  #inFlight: Promise<void> = Promise.resolve();

  constructor(params: MaintenanceLoopParams) {
    this.#params = params;
  }

  start(): void {
    this.#wait(this.#params.firstDelayMs);
  }

  /** There is something to do: the step is called now, or once more if it is under way. */
  wake(): void {
    if (this.#timer === null) {
      this.#isWoken = true;
      return;
    }
    this.#timer.cancel();
    this.#wait(0);
  }

  /** Resolves when the step that was under way, if any, has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    await this.#inFlight;
  }

  #wait(delayMs: number): void {
    if (this.#isStopped) return;
    const { runtime } = this.#params;
    this.#timer = runtime.setTimer(this.#isWoken ? 0 : delayMs, () => {
      this.#timer = null;
      // After a blocked event loop many timers are due at once. What the worker extends and settles goes first.
      runtime.setImmediate(() => {
        if (!this.#isStopped) this.#inFlight = this.#run();
      });
    });
  }

  async #run(): Promise<void> {
    this.#isWoken = false;
    try {
      const delayMs = await this.#params.step();
      this.#failures = 0;
      this.#wait(delayMs);
    } catch (error) {
      if (this.#isStopped || this.#params.reportError(error)) return;
      this.#failures++;
      this.#wait(retryDelayMs(STORAGE_BACKOFF, this.#failures, this.#params.runtime.random()));
    }
  }
}
