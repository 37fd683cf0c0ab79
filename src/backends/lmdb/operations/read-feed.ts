import { ALL_FEED, feedKey, feedNumber, formatJobId, ID_BYTES } from '../keys.ts';
import type { Tree } from '../tree.ts';
import { readSequences } from '../write-transaction.ts';

const PAGE = 256;

export interface FeedNews {
  readonly settledIds: string[];
  readonly signalledIds: string[];
}

/** Follows what other processes have settled and signalled. */
export class FeedReader {
  readonly #tree: Tree;
  readonly #ownOrigin: Buffer;
  #lastNumber: number;

  constructor(tree: Tree, ownOrigin: Buffer) {
    this.#tree = tree;
    this.#ownOrigin = ownOrigin;
    this.#lastNumber = readSequences(tree).feed;
  }

  /** What others have done since the last call, or null if some of it has left the feed already. */
  readNew(): FeedNews | null {
    const news: FeedNews = { settledIds: [], signalledIds: [] };
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
        this.#collect(value, news);
      }
      if (page.length < PAGE) return hasGap ? null : news;
    }
  }

  #collect(entry: Buffer, { settledIds, signalledIds }: FeedNews): void {
    const offset = this.#ownOrigin.length;
    if (entry.subarray(0, offset).equals(this.#ownOrigin)) return;
    const start = offset + 4;
    const end = start + entry.readUInt32BE(offset) * ID_BYTES;
    for (let at = start; at < end; at += ID_BYTES) settledIds.push(formatJobId(entry, at));
    for (let at = end; at < entry.length; at += ID_BYTES) signalledIds.push(formatJobId(entry, at));
  }
}
