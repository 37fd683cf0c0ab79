import type { Runtime } from '../../core/runtime.ts';
import { type Call, splitResults } from './group-commit.ts';
import { isLockTimeout } from './native-errors.ts';

/** How many wait at once: each keeps a connection. */
const MAX_AT_ONCE = 3;
/** A key that another transaction has stored and not committed yet holds up those who want it as well. */
const KEY_WAIT_MS = 50;

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

  /** Stores calls together; each by itself, if waiting for the keys of one would hold up the others. */
  async store<Item, Result>(
    calls: readonly Call<Item>[],
    store: (items: readonly Item[], lockTimeoutMs: number) => Promise<Result[]>,
  ): Promise<readonly (Result[] | Promise<Result[]>)[]> {
    try {
      return splitResults(calls, await store(calls.flat(), KEY_WAIT_MS));
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return calls.map((call) => this.#run(() => store(call, 2 * KEY_WAIT_MS)));
    }
  }

  /** Tries until it works, until it fails for another reason, or until the time is up. */
  async #run<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const deadline = this.#runtime.monotonicNow() + this.#timeoutMs;
    for (;;) {
      await this.#takeTurn();
      try {
        return await attempt();
      } catch (error) {
        if (!isLockTimeout(error) || this.#runtime.monotonicNow() >= deadline) throw error;
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
