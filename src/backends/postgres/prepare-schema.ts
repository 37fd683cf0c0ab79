import { ReseolioError } from '../../core/errors.ts';
import { assertNotNewer, migrate, readVersion, SCHEMA_VERSION } from './migrate.ts';
import { readOnly } from './native-errors.ts';
import { type Session, type SessionParams, withSession } from './session.ts';

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
      else true end
  union all
  select 'execute on ' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $1 and not has_function_privilege(p.oid, 'execute')`;

/** Settings, of the database or the user, under which values would come back otherwise or statements see an old state. */
const WRONG_SETTINGS = `
  select name || ' is ' || setting || ', and has to be ' || needed
    from (values ('server_encoding', 'UTF8'), ('client_encoding', 'UTF8'), ('bytea_output', 'hex'),
      ('default_transaction_isolation', 'read committed')) wanted(name, needed) join pg_settings using (name)
    where setting <> needed
  union all
  select name || ' is ' || setting || ', and has to be 1 or more' from pg_settings
    where name = 'extra_float_digits' and setting::int < 1`;

/**
 * Rejects unless the schema is of this version and the user may use it; with `isAutomatic`, an older one is migrated
 * first. Resolves with the server's setting of synchronous_commit.
 */
export async function prepareSchema(params: Readonly<SessionParams & { isAutomatic: boolean }>): Promise<string> {
  const { schema, address, isAutomatic } = params;
  const version = await withSession(params, (session) => readVersion(session, schema));
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
  return withSession(params, async (session) => {
    await assertNone(
      session,
      MISSING_RIGHTS,
      [schema],
      `${address}: rights are missing: grant them, or use another user`,
    );
    await assertNone(session, WRONG_SETTINGS, [], `${address}: settings do not fit: alter the role or the database`);
    const [row] = await session.run(
      `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool, current_setting('synchronous_commit')`,
    );
    if (row?.[0] === 't') throw readOnly(address);
    return row?.[1] ?? 'on';
  });
}

async function assertNone(session: Session, sql: string, values: unknown[], message: string): Promise<void> {
  const found = (await session.run(sql, values)).map(([text]) => text);
  if (found.length > 0) throw new ReseolioError('storage_unavailable', `${message} (${found.join('; ')})`);
}
