import { ReseolioError } from '../../core/errors.ts';
import type { Session } from './session.ts';

/** What a user of the storage has to be allowed, beside what the functions do, which run with the rights of the caller. */
const MISSING_RIGHTS = `
  select 'usage of schema ' || n.nspname from pg_namespace n
    where n.nspname = $1 and not has_schema_privilege(n.oid, 'usage')
  union all
  select case c.relkind when 'S' then 'usage of ' else 'select, insert, update and delete on ' end || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = any($2) and not case c.relkind
      when 'S' then has_sequence_privilege(c.oid, 'usage')
      when 'r' then has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
        and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')
      else true end
  union all
  select 'execute on ' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $1 and p.proname = any($2) and not has_function_privilege(p.oid, 'execute')`;

/** What is used. There may be tables of others beside them. */
const OWN_NAMES = [
  ...['names', 'lanes', 'jobs', 'queue', 'finished', 'attempts', 'counts', 'enqueue_order'],
  ...['steps', 'signals', 'waiters'],
  ...['names_id_seq', 'lanes_number_seq', 'attempts_seq_seq'],
  ...[
    'enqueue_job',
    'enqueue_jobs',
    'add_lanes',
    'claim',
    'settle',
    'settle_apart',
    'lock_jobs',
    'wake_waiters',
    'suspend',
    'record_steps',
    'get_steps',
    'signal',
    'get_signals',
    'extend_leases',
    'reclaim_expired',
    'cancel',
    'retry',
  ],
  ...['prune', 'fold_counts', 'get_jobs', 'get_states', 'get_attempts'],
];

/** Settings, of the database or the user, under which values would come back otherwise or statements see an old state. */
const WRONG_SETTINGS = `
  select name || ' is ' || setting || ', and has to be ' || needed
    from (values ('server_encoding', 'UTF8'), ('client_encoding', 'UTF8'), ('bytea_output', 'hex'), ('array_nulls', 'on'),
      ('default_transaction_isolation', 'read committed')) wanted(name, needed) join pg_settings using (name)
    where setting <> needed
  union all
  select name || ' is ' || setting || ', and has to be 1 or more' from pg_settings
    where name = 'extra_float_digits' and setting::int < 1`;

/** Rejects where values would come back otherwise than they were stored. */
export async function assertSettings(session: Session, address: string): Promise<void> {
  const settings = await listFound(session, WRONG_SETTINGS, []);
  if (settings !== null)
    throw unusable(`${address}: settings do not fit (${settings}): alter the role or the database`);
}

/** Rejects where the user lacks a right to what is used of the schema. */
export async function assertRights(session: Session, schema: string, address: string): Promise<void> {
  const rights = await listFound(session, MISSING_RIGHTS, [schema, OWN_NAMES]);
  if (rights !== null) throw unusable(`${address}: rights are missing (${rights}): grant them, or use another user`);
}

async function listFound(session: Session, sql: string, values: unknown[]): Promise<string | null> {
  const found = (await session.run(sql, values)).map(([text]) => text);
  return found.length === 0 ? null : found.join('; ');
}

function unusable(message: string): ReseolioError {
  return new ReseolioError('storage_unavailable', message);
}
