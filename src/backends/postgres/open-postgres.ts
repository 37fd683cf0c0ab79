import { randomBytes } from 'node:crypto';
import { ReseolioError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Durability } from '../../core/storage.ts';
import { Connections } from './connections.ts';
import { type MigrationResult, migrate } from './migrate.ts';
import { translateError } from './native-errors.ts';
import type { PoolLike } from './pool-like.ts';
import { PostgresStorage } from './postgres-storage.ts';
import { type PostgresUrl, parsePostgresUrl, readListenUrl } from './postgres-url.ts';
import { prepareSchema } from './prepare-schema.ts';
import { BorrowedPool, type PoolSource, PrimaryPool } from './primary-pool.ts';
import type { CommitSetting } from './query.ts';
import { assertSchemaName, DEFAULT_SCHEMA } from './schema-name.ts';

/** A pool of the caller's own in place of a URL. It stays open when the storage is closed. */
export interface PostgresPool {
  /** A `pg.Pool`. */
  readonly pool: PoolLike;
  /** Default `reseolio`. */
  readonly schema?: string;
  /** True: one connection of the pool is kept to hear of other processes. False: they are noticed by polling. Default true. */
  readonly listen?: boolean;
  /** A direct connection to hear of other processes, where the pool goes through a pooler. */
  readonly listenUrl?: string;
}

export interface OpenPostgresParams {
  readonly runtime: Runtime;
  readonly durability: Durability;
  /** `manual`: a schema that is missing or old is refused instead of migrated. */
  readonly migrate: 'auto' | 'manual';
}

/** What is known of a storage before there is a connection. */
interface Target {
  readonly source: PoolSource;
  readonly schema: string;
  /** For messages. */
  readonly address: string;
  readonly isListening: boolean;
  readonly isPrepared: boolean;
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 30_000;
const MAX_CONNECT_TIMEOUT_MS = 5000;

/**
 * Opens the storage in a schema of a PostgreSQL server, which is made or migrated if need be.
 *
 * Rejects with `unknown_storage` for what cannot be a URL or a schema, `storage_unavailable` where the server cannot be
 * reached, takes no writes or grants too little, `storage_version` for a schema of a newer version.
 */
export async function openPostgres(
  location: string | PostgresPool,
  { runtime, durability, migrate: mode }: OpenPostgresParams,
): Promise<PostgresStorage> {
  const target = readTarget(location);
  const { source, schema, isListening } = target;
  try {
    const setting = await prepareSchema({ ...target, isAutomatic: mode === 'auto' });
    const storage = new PostgresStorage({
      connections: new Connections({ ...target, runtime }),
      runtime,
      schema,
      isListening,
      origin: randomBytes(6).toString('hex'),
      commit: commitSetting(durability, setting),
    });
    await storage.start();
    return storage;
  } catch (error) {
    await source.end();
    throw translateError(error, target.address);
  }
}

/** Brings the schema to the version of this library. Rejects as {@link openPostgres} does. */
export async function migratePostgres(location: string | PostgresPool): Promise<MigrationResult> {
  const target = readTarget(location);
  try {
    return await migrate(target);
  } finally {
    await target.source.end();
  }
}

function readTarget(location: string | PostgresPool): Target {
  return typeof location === 'string' ? readUrl(location) : readPool(location);
}

function readUrl(url: string): Target {
  const parsed = parsePostgresUrl(url);
  const { schema, address, isListening, listenUrl, poolMax, timeoutMs } = parsed;
  for (const each of [parsed, listenUrl]) if (each !== null) warnOfPlaintext(each);
  return {
    source: new PrimaryPool({
      ...parsed,
      max: isListening && listenUrl === null ? poolMax - 1 : poolMax,
      connectTimeoutMs: Math.min(timeoutMs, MAX_CONNECT_TIMEOUT_MS),
    }),
    schema,
    address,
    isListening,
    // A pooler hands a connection to many, and an older one knows nothing of what they have named in it.
    isPrepared: isListening && listenUrl === null,
    timeoutMs,
  };
}

function warnOfPlaintext({ address, isPlaintextToOthers }: PostgresUrl): void {
  if (!isPlaintextToOthers) return;
  process.emitWarning(
    `${address}: the connection is not encrypted; add sslmode=verify-full, or sslmode=disable to say that it may be so`,
    { type: 'ReseolioWarning', code: 'RESEOLIO_PLAINTEXT' },
  );
}

function readPool({ pool, schema = DEFAULT_SCHEMA, listen = true, listenUrl }: PostgresPool): Target {
  assertSchemaName(schema);
  assertRoom(pool, listen && listenUrl === undefined);
  return {
    source: new BorrowedPool(pool, readListenUrl(listenUrl ?? null), MAX_CONNECT_TIMEOUT_MS),
    schema,
    address: 'the pool of PostgreSQL connections',
    isListening: listen,
    isPrepared: listen && listenUrl === undefined,
    timeoutMs: TIMEOUT_MS,
  };
}

/** The connection that listens is never given back. */
function assertRoom(pool: PoolLike, isListening: boolean): void {
  const max: unknown = pool.options?.max;
  if (!isListening || typeof max !== 'number' || max >= 2) return;
  throw new ReseolioError(
    'unknown_storage',
    `the pool has room for ${max} connection, and listening takes one: give it max 2 or more, or pass listen: false`,
  );
}

function commitSetting(durability: Durability, setting: string): CommitSetting {
  if (durability === 'relaxed') return 'off';
  return setting === 'off' ? 'on' : null;
}
