import { readFileSync } from 'node:fs';
import { ReseolioError } from '../../core/errors.ts';
import { readOnly, translateError } from './native-errors.ts';
import { AS_TEXT, type ClientLike, checkIn, checkOut } from './pool-like.ts';
import type { PoolSource } from './primary-pool.ts';
import type { Row } from './query.ts';
import { inSchema } from './schema-name.ts';

/** In the order in which they are applied; the version of a schema is how many of them it has. */
const MIGRATIONS = [
  '0001-tables.sql',
  '0002-enqueue.sql',
  '0003-claim.sql',
  '0004-settle.sql',
  '0005-leases.sql',
  '0006-change-state.sql',
  '0007-maintain.sql',
  '0008-read.sql',
  '0009-enqueue-from-sql.sql',
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** What a user of the storage has to be allowed, beside what the functions do, which run with the rights of the caller. */
const MISSING_RIGHTS = `
  select 'usage of schema ' || n.nspname from pg_namespace n
    where n.nspname = $1 and not has_schema_privilege(n.oid, 'usage')
  union all
  select case c.relkind when 'S' then 'usage of ' else 'select, insert, update and delete on ' end || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and not case c.relkind
      when 'S' then has_sequence_privilege(c.oid, 'usage')
      when 'r' then has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
        and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')
      else true end`;

export interface SchemaParams {
  readonly source: PoolSource;
  readonly schema: string;
  readonly address: string;
}

export interface MigrationResult {
  /** The version of the schema before, 0 if there was none. */
  readonly from: number;
  readonly to: number;
}

/**
 * Brings a schema to the version of this library, in one transaction: any number of processes may do so at once, and a
 * failure leaves it as it was. Rejects with `storage_version` for a schema that is newer, `storage_unavailable` where the
 * server cannot be reached or a right is missing.
 */
export async function migrate(params: Readonly<SchemaParams>): Promise<MigrationResult> {
  const migrations = MIGRATIONS.map((file) => ({
    file,
    sql: readFileSync(new URL(`./migrations/${file}`, import.meta.url), 'utf8'),
  }));
  return withClient(params, async (client) => {
    const { schema, address } = params;
    await run(client, 'begin');
    try {
      await run(client, "select pg_advisory_xact_lock(hashtextextended('reseolio ' || $1, 0))", [schema]);
      await createSchema(client, params);
      const from = (await readVersion(client, schema)) ?? 0;
      assertNotNewer(from, params);
      for (const [index, { file, sql }] of migrations.entries()) {
        if (index < from) continue;
        await run(client, inSchema(schema, sql));
        await run(client, inSchema(schema, 'insert into {schema}.migrations (version, name) values ($1, $2)'), [
          index + 1,
          file,
        ]);
      }
      await run(client, 'commit');
      return { from, to: SCHEMA_VERSION };
    } catch (error) {
      await run(client, 'rollback').catch(() => {});
      throw translateError(error, address);
    }
  });
}

/**
 * Rejects unless the schema is of this version and the user may use it; with `isAutomatic`, an older one is migrated
 * first. Resolves with the server's setting of synchronous_commit.
 */
export async function prepareSchema(params: Readonly<SchemaParams & { isAutomatic: boolean }>): Promise<string> {
  const { schema, address, isAutomatic } = params;
  const version = await withClient(params, (client) => readVersion(client, schema));
  if (version === null || version < SCHEMA_VERSION) {
    if (!isAutomatic) {
      const found = version === null ? 'there is no such schema' : `it has version ${version}`;
      throw new ReseolioError(
        'storage_version',
        `${address}: schema ${schema} has to be migrated to version ${SCHEMA_VERSION} (${found}): call migrateStorage()`,
      );
    }
    await migrate(params);
  } else {
    assertNotNewer(version, params);
  }
  return withClient(params, async (client) => {
    const missing = await run(client, MISSING_RIGHTS, [schema]);
    if (missing.length > 0) {
      const rights = missing.map(([right]) => right).join('; ');
      throw new ReseolioError(
        'storage_unavailable',
        `${address}: rights are missing: ${rights}: grant them, or use another user`,
      );
    }
    const [row] = await run(
      client,
      `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool, current_setting('synchronous_commit')`,
    );
    if (row?.[0] === 't') throw readOnly(address);
    return row?.[1] ?? 'on';
  });
}

async function createSchema(client: ClientLike, { schema, address }: SchemaParams): Promise<void> {
  const [row] = await run(
    client,
    `select to_regnamespace($1) is not null, has_database_privilege(current_database(), 'create'),
      coalesce(has_schema_privilege(to_regnamespace($1), 'create'), true)`,
    [`"${schema}"`],
  );
  const [isThere, mayCreate, mayUse] = (row ?? []).map((text) => text === 't');
  if (!isThere && !mayCreate) {
    throw new ReseolioError(
      'storage_unavailable',
      `${address}: there is no schema ${schema}, and this user may not create it: create it, or grant create on the database`,
    );
  }
  if (!mayUse) {
    throw new ReseolioError(
      'storage_unavailable',
      `${address}: this user may not create tables in schema ${schema}: grant create on it, or migrate as another user`,
    );
  }
  if (!isThere) await run(client, inSchema(schema, 'create schema {schema}'));
  await run(
    client,
    inSchema(
      schema,
      'create table if not exists {schema}.migrations (version int primary key, name text not null, applied_at timestamptz not null default now())',
    ),
  );
}

/** null: there is no schema, or none of ours. */
async function readVersion(client: ClientLike, schema: string): Promise<number | null> {
  const [found] = await run(client, 'select to_regclass($1)', [`"${schema}".migrations`]);
  if (found?.[0] === null || found === undefined) return null;
  const [row] = await run(client, inSchema(schema, 'select coalesce(max(version), 0) from {schema}.migrations'));
  return Number(row?.[0]);
}

function assertNotNewer(version: number, { schema, address }: SchemaParams): void {
  if (version <= SCHEMA_VERSION) return;
  throw new ReseolioError(
    'storage_version',
    `${address}: schema ${schema} has version ${version}, this library knows ${SCHEMA_VERSION}: upgrade it`,
  );
}

async function withClient<Result>(
  { source, address }: SchemaParams,
  use: (client: ClientLike) => Promise<Result>,
): Promise<Result> {
  let client: ClientLike | null = null;
  try {
    client = await checkOut(await source.acquire());
    const result = await use(client);
    checkIn(client, false);
    return result;
  } catch (error) {
    if (client !== null) checkIn(client, true);
    throw translateError(error, address);
  }
}

async function run(client: ClientLike, text: string, values?: unknown[]): Promise<Row[]> {
  const config = { text, rowMode: 'array', types: AS_TEXT } as const;
  const { rows } = await client.query(values === undefined ? config : { ...config, values });
  return rows as Row[];
}
