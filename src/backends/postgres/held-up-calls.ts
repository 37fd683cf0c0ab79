import type { Runtime } from '../../core/runtime.ts';

/** How many wait at once: each keeps a connection. */
const MAX_AT_ONCE = 3;

/**
 * Calls that have to wait for somebody's transaction. A few at a time wait for a short while, in turn, so that those that
 * can go on do so however many cannot.
 */
export class HeldUpCalls {
  readonly #runtime: Pick<Runtime, 'monotonicNow'>;
  readonly #timeoutMs: number;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  /** @param timeoutMs After this a call gives up. */
  constructor(runtime: Pick<Runtime, 'monotonicNow'>, timeoutMs: number) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
  }

  /** Tries until it works, until it fails for another reason than `isHeldUp` knows, or until the time is up. */
  async run<Result>(attempt: () => Promise<Result>, isHeldUp: (error: unknown) => boolean): Promise<Result> {
    const deadline = this.#runtime.monotonicNow() + this.#timeoutMs;
    for (;;) {
      await this.#takeTurn();
      try {
        return await attempt();
      } catch (error) {
        if (!isHeldUp(error) || this.#runtime.monotonicNow() >= deadline) throw error;
      } finally {
        this.#endTurn();
      }
    }
  }

  #takeTurn(): Promise<void> | undefined {
    if (this.#running < MAX_AT_ONCE) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** The turn goes on to the next in the queue, if there is one. */
  #endTurn(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
