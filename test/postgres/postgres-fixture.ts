import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';
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
