import { FOLD_LIMIT, foldCountsQuery } from './operations/prune.ts';
import type { RunQuery } from './query.ts';

/** Rows that this process may have added to the counts before it puts them together. */
const FOLD_AFTER_ROWS = 2000;

/** Keeps the rows of counts few, at the pace at which this process adds some: whoever asks for counts sums them all. */
export class CountFolder {
  readonly #run: RunQuery;
  #rows = 0;
  #folding: Promise<void> | null = null;

  constructor(run: RunQuery) {
    this.#run = run;
  }

  /** Up to `rows` were added. */
  note(rows: number): void {
    this.#rows += rows;
    if (this.#rows >= FOLD_AFTER_ROWS) this.fold();
  }

  /** Begins to fold, unless it does so already. */
  fold(): void {
    if (this.#folding !== null) return;
    this.#rows = 0;
    this.#folding = this.#foldAll().finally(() => {
      this.#folding = null;
    });
  }

  /** Resolves when nothing is being folded. */
  async idle(): Promise<void> {
    await this.#folding;
  }

  async #foldAll(): Promise<void> {
    try {
      let folded = FOLD_LIMIT;
      while (folded >= FOLD_LIMIT) folded = Number((await this.#run(foldCountsQuery()))[0]?.[0]);
    } catch {
      // Nothing depends on it, and the next one makes up for it.
    }
  }
}
