import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Durability, Storage } from '../core/storage.ts';

export interface OpenStorageParams {
  readonly runtime: Runtime;
  readonly durability: Durability;
}

/**
 * Opens the storage that `url` names; loads that backend and no other. Rejects with `unknown_storage` for a scheme or
 * a parameter that is not known, `storage_unavailable` where it cannot be opened, `storage_version` where a newer
 * version has written it.
 *
 * - `lmdb://./directory` or `lmdb:///absolute/directory`: embedded, for the processes of one box.
 * - `memory://`: gone with the client; for tests.
 */
export async function openStorage(url: string, { runtime, durability }: OpenStorageParams): Promise<Storage> {
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  switch (scheme) {
    case 'lmdb': {
      const [{ LmdbStorage }, { parseLmdbUrl }] = await Promise.all([
        import('./lmdb/lmdb-storage.ts'),
        import('./lmdb/lmdb-url.ts'),
      ]);
      return LmdbStorage.open({ ...parseLmdbUrl(url), runtime, durability });
    }
    case 'memory': {
      const { MemoryStorage } = await import('./memory/memory-storage.ts');
      return new MemoryStorage({ runtime });
    }
    default:
      throw new ReseolioError(
        'unknown_storage',
        `${describeValue(url)} is no storage URL: use lmdb://./directory, or memory:// in tests`,
      );
  }
}
