export const COMMIT_MODES = ['auto', 'inline', 'thread'] as const;
export type CommitMode = (typeof COMMIT_MODES)[number];

/** Commits that take less on average may as well block the event loop: handing them over costs about as much. */
const FAST_MS = 1.5;
/** Until there is something to go by, the disk is taken for a slow one. */
const INITIAL_MS = 5;
/** Weight of one commit in the average, and the most that one stall can count for. */
const WEIGHT = 1 / 8;
const MAX_SAMPLE_MS = 50;
/** What a put or a remove may add to a commit, generously; what it takes beyond is the disk's. */
const WRITE_MS = 0.02;

/**
 * Decides whether the next commit runs inline, blocking the event loop for the two syncs of a commit, or on a thread.
 *
 * On a fast disk the hand-over to the thread and back costs more than a third of a lone commit, so `auto` goes inline
 * while commits are fast on average; one stall of the disk takes it back to the thread for the next dozen. It never does while another process has the storage open: that one might hold the
 * write lock for as long as it likes (ADR 0004).
 */
export class CommitModeChooser {
  readonly #mode: CommitMode;
  readonly #isAlone: () => boolean;
  #averageMs = INITIAL_MS;

  constructor(mode: CommitMode, isAlone: () => boolean) {
    this.#mode = mode;
    this.#isAlone = isAlone;
  }

  get isInline(): boolean {
    if (this.#mode !== 'auto') return this.#mode === 'inline';
    return this.#averageMs < FAST_MS && this.#isAlone();
  }

  observe(durationMs: number, writes: number): void {
    if (writes === 0) return;
    const diskMs = Math.max(0, durationMs - writes * WRITE_MS);
    this.#averageMs += (Math.min(diskMs, MAX_SAMPLE_MS) - this.#averageMs) * WEIGHT;
  }
}
