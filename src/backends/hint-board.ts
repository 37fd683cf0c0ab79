import type { StorageHint } from '../core/storage.ts';

type Listener = (hint: StorageHint) => void;

/** Tells watchers what changed, after the operation that changed it has answered or is about to. */
export class HintBoard {
  readonly #listeners = new Set<Listener>();

  watch(listener: Listener): () => void {
    // A function of its own for each call, so that one listener can watch twice and leave once.
    const own: Listener = (hint) => listener(hint);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  postWork(names: readonly string[]): void {
    if (names.length > 0) this.post({ kind: 'work', names: [...new Set(names)] });
  }

  postFinished(jobIds: readonly string[]): void {
    if (jobIds.length > 0) this.post({ kind: 'finished', jobIds });
  }

  postSignals(jobIds: readonly string[]): void {
    if (jobIds.length > 0) this.post({ kind: 'signals', jobIds });
  }

  clear(): void {
    this.#listeners.clear();
  }

  post(hint: StorageHint): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(hint);
      });
    }
  }
}
