import type { Runtime } from '../core/runtime.ts';

/** How much all workflows of a client do before timers and I/O have their turn: replays may have very many answers. */
const MAX_IN_ROW = 100;
const MAX_IN_ROW_MS = 5;

/** When handlers are told: each once no promise callback is left to run, and not for long without the event loop going on. */
export class Turns {
  readonly #runtime: Pick<Runtime, 'setImmediate' | 'afterPromises' | 'monotonicNow'>;
  /** Of this turn of the event loop, if there was any. */
  #startedAt: number | null = null;
  #count = 0;

  constructor(runtime: Pick<Runtime, 'setImmediate' | 'afterPromises' | 'monotonicNow'>) {
    this.#runtime = runtime;
  }

  /** Calls `run` once. */
  schedule(run: () => void): void {
    const now = this.#runtime.monotonicNow();
    if (this.#startedAt === null) {
      this.#startedAt = now;
      this.#runtime.setImmediate(() => {
        this.#startedAt = null;
        this.#count = 0;
      });
    }
    const isLong = ++this.#count > MAX_IN_ROW || now - this.#startedAt > MAX_IN_ROW_MS;
    if (isLong) this.#runtime.setImmediate(run);
    else this.#runtime.afterPromises(run);
  }
}
