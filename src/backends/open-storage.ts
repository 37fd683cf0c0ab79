import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Durability, Storage } from '../core/storage.ts';
import type { MigrationResult } from './postgres/migrate.ts';
import type { PostgresPool } from './postgres/open-postgres.ts';
import type { PoolLike } from './postgres/pool-like.ts';

/** Where jobs are kept: a URL, or a `pg.Pool` of the caller's own, alone or with what a URL could say beside it. */
export type StorageLocation = string | PoolLike | PostgresPool;

/** Whether a schema that is missing or old is made and migrated when a postgres:// storage is opened. */
export type MigrateMode = 'auto' | 'manual';

export interface OpenStorageParams {
  readonly runtime: Runtime;
  readonly durability: Durability;
  readonly migrate: MigrateMode;
}

/**
 * Opens the storage at `location`; loads that backend and no other. Rejects with `unknown_storage` for a scheme or a
 * parameter that is not known, `storage_unavailable` where it cannot be opened, `storage_version` where a newer version
 * has written it.
 *
 * - `lmdb://./directory` or `lmdb:///absolute/directory`: embedded, for the processes of one box.
 * - `postgres://user@host/database`, or a pool: for any number of machines.
 * - `memory://`: gone with the client; for tests.
 */
export async function openStorage(location: StorageLocation, params: OpenStorageParams): Promise<Storage> {
  const { runtime, durability } = params;
  switch (backendOf(location)) {
    case 'lmdb': {
      const [{ LmdbStorage }, { parseLmdbUrl }] = await Promise.all([
        import('./lmdb/lmdb-storage.ts'),
        import('./lmdb/lmdb-url.ts'),
      ]);
      return LmdbStorage.open({ ...parseLmdbUrl(location as string), runtime, durability });
    }
    case 'postgres': {
      const { openPostgres } = await import('./postgres/open-postgres.ts');
      return openPostgres(asPostgres(location), params);
    }
    case 'memory': {
      const { MemoryStorage } = await import('./memory/memory-storage.ts');
      return new MemoryStorage({ runtime });
    }
  }
}

/**
 * Brings the schema of a PostgreSQL storage to the version of this library, for those who open it with
 * `migrate: 'manual'`. Resolves with the versions before and after. Any number of processes may call it at once; a
 * failure changes nothing. Other storages have no schema: from 0 to 0.
 *
 * Rejects as {@link openStorage} does.
 */
export async function migrateStorage(location: StorageLocation): Promise<MigrationResult> {
  if (backendOf(location) !== 'postgres') return { from: 0, to: 0 };
  const { migratePostgres } = await import('./postgres/open-postgres.ts');
  return migratePostgres(asPostgres(location));
}

export function isStorageLocation(value: unknown): value is StorageLocation {
  return typeof value === 'string' || isPool(value) || isPostgresPool(value);
}

function backendOf(location: StorageLocation): 'lmdb' | 'memory' | 'postgres' {
  if (typeof location !== 'string') return 'postgres';
  switch (/^([a-z]+):\/\//.exec(location)?.[1]) {
    case 'lmdb':
      return 'lmdb';
    case 'postgres':
    case 'postgresql':
      return 'postgres';
    case 'memory':
      return 'memory';
    default:
      throw new ReseolioError(
        'unknown_storage',
        `${describeValue(redact(location))} is no storage URL: use lmdb://./directory, postgres://user@host/database, or memory:// in tests`,
      );
  }
}

function asPostgres(location: StorageLocation): string | PostgresPool {
  return isPool(location) ? { pool: location } : location;
}

function isPool(value: unknown): value is PoolLike {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'connect') === 'function';
}

function isPostgresPool(value: unknown): value is PostgresPool {
  return typeof value === 'object' && value !== null && isPool(Reflect.get(value, 'pool'));
}

/** A URL with a misspelt scheme may hold a password. */
function redact(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, '//***@');
}
