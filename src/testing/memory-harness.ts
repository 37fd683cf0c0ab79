import { MemoryStorage } from '../backends/memory/memory-storage.ts';
import type { Storage } from '../core/storage.ts';
import { DrivenRuntime } from './driven-runtime.ts';
import type { StorageHarness } from './storage-harness.ts';

/** The suite's way to a {@link MemoryStorage}, or to what `wrap` makes of one. */
export function createMemoryHarness(wrap: (storage: Storage) => Storage = (storage) => storage): StorageHarness {
  return {
    capabilities: { isPersistent: false, isShared: false, isTransactional: false },
    async open() {
      const runtime = new DrivenRuntime();
      const storage = wrap(new MemoryStorage({ runtime }));
      return {
        storage,
        now: runtime.now,
        advance: (ms) => runtime.advance(ms),
        reopen: null,
        openAnother: null,
        beginTransaction: null,
        destroy: () => storage.close(),
      };
    },
  };
}
