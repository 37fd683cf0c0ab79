import type { RootDatabase } from 'lmdb';
import type { KeyRange } from './keys.ts';

/** The npm package's root database, with keys and values as plain bytes. */
export type Database = RootDatabase<Buffer, Buffer>;

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Values of a page that may be large take about so much memory at most. */
export const PAGE_BYTES = 8 * 1_048_576;

export interface ScanParams extends KeyRange {
  readonly limit: number;
  /** The page ends with the value that makes it so large. */
  readonly enoughBytes?: number;
  readonly isReverse?: boolean;
}

/**
 * Reads, in the write transaction that is open or else in a snapshot of the last commit. Everything returned is a
 * copy: LMDB reuses its pages as soon as a snapshot is let go.
 */
export class Tree {
  readonly #database: Database;
  #writes = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Lets go of the present snapshot, so that reads see what other processes have committed since. */
  refresh(): void {
    this.#database.resetReadTxn();
  }

  get(key: Buffer): Buffer | undefined {
    return this.#database.getBinary(key);
  }

  /** A page of entries. Never more than that, and no iterator: one held open pins its snapshot, and the file grows. */
  scan({ start, end, limit, enoughBytes = Number.POSITIVE_INFINITY, isReverse = false }: ScanParams): Entry[] {
    const range = isReverse
      ? { start: end, end: start, exclusiveStart: true, inclusiveEnd: true, reverse: true, limit }
      : { start, end, limit };
    const entries: Entry[] = [];
    let bytes = 0;
    for (const { key, value } of this.#database.getRange(range)) {
      entries.push({ key, value });
      bytes += value.length;
      if (bytes >= enoughBytes) break;
    }
    return entries;
  }

  first(range: KeyRange): Entry | undefined {
    return this.scan({ ...range, limit: 1 })[0];
  }

  /** Puts and removes so far. */
  get writes(): number {
    return this.#writes;
  }

  put(key: Buffer, value: Buffer): void {
    this.#writes++;
    void this.#database.put(key, value);
  }

  remove(key: Buffer): void {
    this.#writes++;
    void this.#database.remove(key);
  }
}
