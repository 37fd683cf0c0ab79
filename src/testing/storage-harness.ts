import type { SqlTransaction } from '../core/sql-transaction.ts';
import type { Storage } from '../core/storage.ts';

/** How the suite gets at the storage under test. */
export interface StorageHarness {
  readonly capabilities: StorageCapabilities;
  /** A storage of its own for each rule: fresh, empty, and with a clock that stands still until it is advanced. */
  open(): Promise<StorageFixture>;
}

/** What not every storage can do. Rules that need what a storage does not declare are not registered for it. */
export interface StorageCapabilities {
  /** What was stored is still there when the storage is closed and opened again. */
  readonly isPersistent: boolean;
  /** Several can be open on the same jobs, as in several processes. */
  readonly isShared: boolean;
  /** Jobs can be stored as part of a transaction of the caller's. */
  readonly isTransactional: boolean;
}

export interface StorageFixture {
  readonly storage: Storage;
  /** What the storage's clock reads, Unix milliseconds. */
  now(): number;
  /** Moves the storage's clock; the only thing that does. */
  advance(ms: number): Promise<void>;
  /** Closes all that was opened, and opens the same jobs. null unless `isPersistent`. */
  readonly reopen: (() => Promise<Storage>) | null;
  /** Opens one more storage on the same jobs and the same clock. null unless `isShared`. */
  readonly openAnother: (() => Promise<Storage>) | null;
  /** Begins a transaction in the storage's database. null unless `isTransactional`. */
  readonly beginTransaction: (() => Promise<OpenTransaction>) | null;
  /** Closes all that was opened (closed or not already) and removes what was stored. */
  destroy(): Promise<void>;
}

export interface OpenTransaction {
  readonly transaction: SqlTransaction;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** The test functions of vitest, node:test, mocha or jest: the suite brings its own assertions. */
export interface TestFunctions {
  readonly describe: (name: string, body: () => void) => unknown;
  /** Tests that may take long come with a time-out; runners that take it elsewhere (node:test, mocha) ignore it here. */
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
}
