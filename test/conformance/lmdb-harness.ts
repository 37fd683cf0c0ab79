import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommitMode } from '../../src/backends/lmdb/commit-mode.ts';
import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import type { StorageHarness } from '../../src/testing/storage-harness.ts';

/** A new directory for each rule; the clock is driven, commits and syncs are real. */
export function createLmdbHarness(commitMode: CommitMode): StorageHarness {
  return {
    capabilities: { isPersistent: true, isShared: true, isTransactional: false },
    async open() {
      const directory = mkdtempSync(join(tmpdir(), 'reseolio-conformance-'));
      const runtime = new DrivenRuntime();
      const openOne = (): Promise<LmdbStorage> =>
        LmdbStorage.open({ directory, durability: 'strict', commitMode, commitTimeoutMs: 30_000, runtime });
      const storage = await openOne();
      const opened = [storage];
      return {
        storage,
        now: runtime.now,
        advance: (ms) => runtime.advance(ms),
        async reopen() {
          await Promise.all(opened.map((one) => one.close()));
          const reopened = await openOne();
          opened.push(reopened);
          return reopened;
        },
        async openAnother() {
          const another = await openOne();
          opened.push(another);
          return another;
        },
        beginTransaction: null,
        async destroy() {
          await Promise.all(opened.map((one) => one.close()));
          rmSync(directory, { recursive: true });
        },
      };
    },
  };
}
