import { ID_BYTES, type JobId, type KeyRange, listOrder, successor } from '../keys.ts';
import type { Entry, Tree } from '../tree.ts';

const PAGE = 128;

export interface ListedJob {
  readonly id: JobId;
  /** Sorts jobs of any name and state by creation. */
  readonly order: Buffer;
}

/** Jobs of one list in order of creation, either way. */
export interface JobCursor {
  /** The present job, null at the end. */
  peek(): ListedJob | null;
  advance(): void;
}

/** Walks a stored list in pages, leaving out the ids in `except`. */
export class StoredJobCursor implements JobCursor {
  readonly #tree: Tree;
  readonly #isAscending: boolean;
  readonly #except: ReadonlySet<string>;
  #range: KeyRange | null;
  #page: Entry[] = [];
  #position = 0;

  constructor(tree: Tree, range: KeyRange, isAscending: boolean, except: ReadonlySet<string>) {
    this.#tree = tree;
    this.#range = range;
    this.#isAscending = isAscending;
    this.#except = except;
  }

  peek(): ListedJob | null {
    for (;;) {
      const entry = this.#page[this.#position];
      if (entry === undefined) {
        if (!this.#readPage()) return null;
        continue;
      }
      const id = entry.value.subarray(0, ID_BYTES);
      if (!this.#except.has(idText(id))) return { id, order: listOrder(entry.key) };
      this.#position++;
    }
  }

  advance(): void {
    this.#position++;
  }

  #readPage(): boolean {
    if (this.#range === null) return false;
    this.#page = this.#tree.scan({ ...this.#range, limit: PAGE, isReverse: !this.#isAscending });
    this.#position = 0;
    const last = this.#page.at(-1);
    if (last === undefined || this.#page.length < PAGE) this.#range = null;
    else if (this.#isAscending) this.#range = { start: successor(last.key), end: this.#range.end };
    else this.#range = { start: this.#range.start, end: last.key };
    return last !== undefined;
  }
}

/** Walks jobs that are few enough to be sorted here. */
export class SortedJobCursor implements JobCursor {
  readonly #jobs: readonly ListedJob[];
  #position = 0;

  constructor(jobs: readonly ListedJob[], isAscending: boolean) {
    const direction = isAscending ? 1 : -1;
    this.#jobs = jobs.toSorted((a, b) => direction * Buffer.compare(a.order, b.order));
  }

  peek(): ListedJob | null {
    return this.#jobs[this.#position] ?? null;
  }

  advance(): void {
    this.#position++;
  }
}

interface Head {
  readonly cursor: JobCursor;
  readonly job: ListedJob;
}

/** Merges cursors into one order. Those that are behind wait sorted, so a step costs little however many there are. */
export class MergedJobs {
  readonly #isAscending: boolean;
  /** The next of all is the last, where it is cheapest to take. */
  readonly #heads: Head[] = [];

  constructor(cursors: readonly JobCursor[], isAscending: boolean) {
    this.#isAscending = isAscending;
    for (const cursor of cursors) this.#insert(cursor);
  }

  /** The next job, null when all cursors are at their end. */
  next(): ListedJob | null {
    const head = this.#heads.pop();
    if (head === undefined) return null;
    head.cursor.advance();
    this.#insert(head.cursor);
    return head.job;
  }

  #insert(cursor: JobCursor): void {
    const job = cursor.peek();
    if (job === null) return;
    let low = 0;
    let high = this.#heads.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = Buffer.compare((this.#heads[middle] as Head).job.order, job.order);
      if (order > 0 === this.#isAscending) low = middle + 1;
      else high = middle;
    }
    this.#heads.splice(low, 0, { cursor, job });
  }
}

/** An id as a key of a Set. */
export function idText(id: JobId): string {
  return id.toString('latin1');
}
