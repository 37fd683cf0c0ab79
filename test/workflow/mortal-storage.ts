import type { Storage, StorageHint } from '../../src/core/storage.ts';

type StorageCall = (params: unknown) => Promise<unknown>;

/** At which call a process dies. */
export interface Death {
  /** Counted from 1. */
  readonly atCall: number;
  /** That call takes effect, though its answer comes no more. */
  readonly isAfterEffect: boolean;
}

const UNCHECKED: ReadonlySet<PropertyKey> = new Set(['watch', 'close']);

/** A storage as one process sees it, which may die: then its calls are not answered, and others go on with the storage. */
export class MortalStorage {
  calls = 0;
  isDead = false;
  readonly #death: Death | null;
  readonly #inner: Storage;
  readonly #onDeath: () => void;

  constructor(inner: Storage, death: Death | null = null, onDeath: () => void = () => {}) {
    this.#inner = inner;
    this.#death = death;
    this.#onDeath = onDeath;
    for (const method of methodsOf(inner)) {
      if (UNCHECKED.has(method)) continue;
      const call = Reflect.get(inner, method) as StorageCall;
      Object.assign(this, { [method]: (params: unknown) => this.#pass(() => call.call(inner, params)) });
    }
  }

  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#onDeath();
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    return this.#inner.watch((hint) => {
      if (!this.isDead) listener(hint);
    });
  }

  async close(): Promise<void> {}

  async #pass(call: () => Promise<unknown>): Promise<unknown> {
    this.calls++;
    if (this.calls === this.#death?.atCall) {
      if (this.#death.isAfterEffect && !this.isDead) await call();
      this.kill();
    }
    if (this.isDead) return new Promise(() => {});
    const answer = await call();
    // What was under way when the process died has taken effect, but nobody hears of it.
    return this.isDead ? new Promise(() => {}) : answer;
  }
}

function methodsOf(storage: Storage): string[] {
  const names = new Set<string>();
  for (
    let level: object | null = storage;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const name of Object.getOwnPropertyNames(level)) names.add(name);
  }
  return [...names].filter((name) => name !== 'constructor' && typeof Reflect.get(storage, name) === 'function');
}
