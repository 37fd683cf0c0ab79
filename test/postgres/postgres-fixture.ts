import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { expect, inject, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { openPostgres, type PostgresPool } from '../../src/backends/postgres/open-postgres.ts';
import type { PostgresStorage } from '../../src/backends/postgres/postgres-storage.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';

export const serverUrl = inject('postgresUrl');

/** The name of a schema that is dropped when the test ends. */
export function freshSchema(): string {
  const schema = `test_${randomBytes(6).toString('hex')}`;
  onTestFinished(async () => {
    await query(serverUrl, `drop schema if exists ${schema} cascade`);
  });
  return schema;
}

/** A URL of the shared server with these parameters. */
export function urlWith(parameters: Readonly<Record<string, string>>): string {
  return `${serverUrl}?${new URLSearchParams(parameters)}`;
}

/** A storage that is closed when the test ends. */
export async function open(
  location: string | PostgresPool,
  { durability = 'strict', migrate = 'auto' }: { durability?: 'strict' | 'relaxed'; migrate?: 'auto' | 'manual' } = {},
): Promise<PostgresStorage> {
  const storage = await openPostgres(location, { runtime: createSystemRuntime(), durability, migrate });
  onTestFinished(() => storage.close());
  return storage;
}

/** A connection that is closed when the test ends. */
export async function connect(url: string = serverUrl): Promise<Client> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Fails if a table of the schema was ever scanned, or has never been written to, as the server's statistics have it. */
export async function expectNoScans(schema: string, tables: readonly string[]): Promise<void> {
  // Each index was built by a scan.
  const readUnsound = async (): Promise<string[]> => {
    const rows = await query(
      serverUrl,
      `select s.relname, s.seq_scan::int - count(i.*)::int as scans, s.n_tup_ins::int as inserts
        from pg_stat_user_tables s join pg_index i on i.indrelid = s.relid
        where s.schemaname = $1 and s.relname = any($2) group by s.relname, s.seq_scan, s.n_tup_ins`,
      [schema, tables],
    );
    expect(rows).toHaveLength(tables.length);
    return rows
      .filter(({ scans, inserts }) => scans !== 0 || inserts === 0)
      .map(({ relname, scans, inserts }) => `${relname}: ${scans} scans, ${inserts} inserts`);
  };
  await expect.poll(readUnsound, { timeout: 5000 }).toEqual([]);
}
