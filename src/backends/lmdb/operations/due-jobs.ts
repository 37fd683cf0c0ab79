import { belowPriority, pendingPriority, pendingRange, pendingRunAt, successor } from '../keys.ts';
import type { Entry, Tree } from '../tree.ts';

/**
 * Walks the due jobs of one name in claim order: by priority, then due time. Within a priority the first job that is
 * not due ends the walk, and the next priority is sought directly, so the cost depends on what is taken and on how
 * many priorities are in use, not on how many jobs wait.
 */
export class DueJobs {
  /** The earliest due time seen of a job that was not due yet. */
  nextRunAt: number | null = null;
  readonly #tree: Tree;
  readonly #nameId: number;
  readonly #now: number;
  readonly #end: Buffer;
  #start: Buffer;
  #page: Entry[] = [];
  #position = 0;
  #isDone = false;

  constructor(tree: Tree, nameId: number, now: number) {
    const range = pendingRange(nameId);
    this.#tree = tree;
    this.#nameId = nameId;
    this.#now = now;
    this.#start = range.start;
    this.#end = range.end;
  }

  /** The next due entry. Reads `pageSize` entries at once when it has to read. */
  next(pageSize: number): Entry | null {
    for (;;) {
      const entry = this.#page[this.#position];
      if (entry === undefined) {
        if (!this.#readPage(pageSize)) return null;
        continue;
      }
      const runAt = pendingRunAt(entry.key);
      if (runAt <= this.#now) {
        this.#position++;
        return entry;
      }
      this.nextRunAt = Math.min(this.nextRunAt ?? runAt, runAt);
      this.#skipPriority(pendingPriority(entry.key));
    }
  }

  #readPage(pageSize: number): boolean {
    if (this.#isDone) return false;
    this.#page = this.#tree.scan({ start: this.#start, end: this.#end, limit: pageSize });
    this.#position = 0;
    this.#isDone = this.#page.length < pageSize;
    const last = this.#page.at(-1);
    if (last !== undefined) this.#start = successor(last.key);
    return last !== undefined;
  }

  /** Goes on behind what is left of a priority, which is not due: on this page if that goes so far, else by a seek. */
  #skipPriority(priority: number): void {
    while (this.#position < this.#page.length) {
      const entry = this.#page[this.#position] as Entry;
      if (pendingPriority(entry.key) < priority) return;
      this.#position++;
    }
    this.#start = belowPriority(this.#nameId, priority);
  }
}
