export const COMMIT_MODES = ['auto', 'inline', 'thread'] as const;
export type CommitMode = (typeof COMMIT_MODES)[number];

/** A commit that was quicker than this may as well block the event loop: handing it over costs about as much. */
const FAST_MS = 1.5;
/** One that was slower shows that the disk is not to be trusted with the event loop. */
const SLOW_MS = 4;
/** Consecutive fast commits that it takes to go inline; a slow one multiplies what it takes from then on. */
const FAST_COMMITS_NEEDED = 4;
const MAX_FAST_COMMITS_NEEDED = 4096;
/** Only commits this small tell how long a sync takes. */
const SMALL_BATCH = 64;

/**
 * Decides whether the next commit runs inline, blocking the event loop for the two syncs of a commit, or on a thread.
 *
 * On a fast disk the hand-over to the thread and back costs more than a third of a lone commit, so `auto` goes inline
 * when the last commits were fast. It never does while another process has the storage open: that one might hold the
 * write lock for as long as it likes (ADR 0004).
 */
export class CommitModeChooser {
  readonly #mode: CommitMode;
  readonly #isAlone: () => boolean;
  #fastCommits = 0;
  #fastCommitsNeeded = FAST_COMMITS_NEEDED;

  constructor(mode: CommitMode, isAlone: () => boolean) {
    this.#mode = mode;
    this.#isAlone = isAlone;
  }

  get isInline(): boolean {
    if (this.#mode !== 'auto') return this.#mode === 'inline';
    return this.#fastCommits >= this.#fastCommitsNeeded && this.#isAlone();
  }

  observe(durationMs: number, operations: number): void {
    if (durationMs > SLOW_MS && operations <= SMALL_BATCH) {
      this.#fastCommits = 0;
      this.#fastCommitsNeeded = Math.min(this.#fastCommitsNeeded * 2, MAX_FAST_COMMITS_NEEDED);
    } else if (durationMs < FAST_MS) {
      this.#fastCommits++;
    }
  }
}
