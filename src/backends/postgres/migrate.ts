import { readFileSync } from 'node:fs';
import { ReseolioError } from '../../core/errors.ts';
import { assertSettings } from './check-server.ts';
import { type Session, type SessionParams, withSession } from './session.ts';

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
  '0010-schedules.sql',
  '0011-steps.sql',
  '0012-suspend.sql',
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** One statement of a migration may rewrite a table, or wait for another process that does. */
const STATEMENT_TIMEOUT_MS = 600_000;

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
export async function migrate(params: Readonly<SessionParams>): Promise<MigrationResult> {
  const migrations = MIGRATIONS.map((file) => ({
    file,
    sql: readFileSync(new URL(`./migrations/${file}`, import.meta.url), 'utf8'),
  }));
  // A failure gives up the connection, and with it the transaction.
  return withSession({ ...params, timeoutMs: STATEMENT_TIMEOUT_MS }, async (session) => {
    await assertSettings(session, params.address);
    // Each statement has to see what others have committed while it waited for the lock.
    await session.run('begin isolation level read committed');
    await session.run("select pg_advisory_xact_lock(hashtextextended('reseolio ' || $1, 0))", [params.schema]);
    await createSchema(session, params);
    const from = (await readVersion(session, params.schema)) ?? 0;
    assertNotNewer(from, params);
    for (const [index, { file, sql }] of migrations.entries()) {
      if (index < from) continue;
      await session.run(sql);
      await session.run('insert into {schema}.migrations (version, name) values ($1, $2)', [index + 1, file]);
    }
    await session.run('commit');
    return { from, to: SCHEMA_VERSION };
  });
}

/** null: there is no schema, or none of ours. */
export async function readVersion(session: Session, schema: string): Promise<number | null> {
  const [found] = await session.run('select to_regclass($1)', [`"${schema}".migrations`]);
  if (found?.[0] === null || found === undefined) return null;
  const [row] = await session.run('select coalesce(max(version), 0) from {schema}.migrations');
  return Number(row?.[0]);
}

export function assertNotNewer(version: number, { schema, address }: SessionParams): void {
  if (version <= SCHEMA_VERSION) return;
  throw new ReseolioError(
    'storage_version',
    `${address}: schema ${schema} has version ${version}, this library knows ${SCHEMA_VERSION}: upgrade it`,
  );
}

async function createSchema(session: Session, { schema, address }: SessionParams): Promise<void> {
  const [row] = await session.run(
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
  if (!isThere) await session.run('create schema {schema}');
  await session.run(
    `create table if not exists {schema}.migrations
      (version int primary key, name text not null, applied_at timestamptz not null default now())`,
  );
}
