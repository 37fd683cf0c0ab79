import { ALL_FEED, feedKey, feedNumber, formatJobId, ID_BYTES } from '../keys.ts';
import type { Tree } from '../tree.ts';
import { readSequences } from '../write-transaction.ts';

const PAGE = 256;

/** Follows what other processes have settled. */
export class FeedReader {
  readonly #tree: Tree;
  readonly #ownOrigin: Buffer;
  #lastNumber: number;

  constructor(tree: Tree, ownOrigin: Buffer) {
    this.#tree = tree;
    this.#ownOrigin = ownOrigin;
    this.#lastNumber = readSequences(tree).feed;
  }

  /** Ids that others have settled since the last call, or null if some of them have left the feed already. */
  readNew(): string[] | null {
    const ids: string[] = [];
    const expected = this.#lastNumber + 1;
    let isFirst = true;
    let hasGap = false;
    for (;;) {
      const page = this.#tree.scan({ start: feedKey(this.#lastNumber + 1), end: ALL_FEED.end, limit: PAGE });
      for (const { key, value } of page) {
        const number = feedNumber(key);
        if (isFirst && number !== expected) hasGap = true;
        isFirst = false;
        this.#lastNumber = number;
        this.#collect(value, ids);
      }
      if (page.length < PAGE) return hasGap ? null : ids;
    }
  }

  #collect(entry: Buffer, ids: string[]): void {
    const offset = this.#ownOrigin.length;
    if (entry.subarray(0, offset).equals(this.#ownOrigin)) return;
    for (let at = offset; at < entry.length; at += ID_BYTES) ids.push(formatJobId(entry, at));
  }
}
