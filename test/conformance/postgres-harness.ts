import { Client } from 'pg';
import { openPostgres } from '../../src/backends/postgres/open-postgres.ts';
import type { Storage } from '../../src/core/storage.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import type { OpenTransaction, StorageFixture, StorageHarness } from '../../src/testing/storage-harness.ts';
import { RuleSchemas } from './rule-schemas.ts';

export interface PostgresHarness extends StorageHarness {
  open(): Promise<PostgresFixture>;
  /** When all rules have run. */
  close(): Promise<void>;
}

export interface PostgresFixture extends StorageFixture {
  readonly schema: string;
}

/** A schema as new for each rule, opened with further URL parameters, such as `&listen=off`; the clock of the database is driven, everything else is as it is. */
export function createPostgresHarness(serverUrl: string, parameters = ''): PostgresHarness {
  const schemas = new RuleSchemas(serverUrl);
  return {
    capabilities: { isPersistent: true, isShared: true, isTransactional: true },
    async open() {
      const runtime = new DrivenRuntime();
      const schema = await schemas.take(runtime.now());
      const url = `${serverUrl}?schema=${schema}&poolMax=4${parameters}`;
      const openOne = (): Promise<Storage> => openPostgres(url, { runtime, durability: 'strict', migrate: 'manual' });
      const storage = await openOne();
      const opened = [storage];
      const openMore = async (): Promise<Storage> => {
        const another = await openOne();
        opened.push(another);
        return another;
      };
      return {
        schema,
        storage,
        now: runtime.now,
        async advance(ms) {
          await schemas.advance(schema, ms);
          await runtime.advance(ms);
        },
        async reopen() {
          await Promise.all(opened.map((one) => one.close()));
          return openMore();
        },
        openAnother: openMore,
        beginTransaction: () => beginTransaction(serverUrl),
        async destroy() {
          await Promise.all(opened.map((one) => one.close()));
          await schemas.giveBack(schema);
        },
      };
    },
    close: () => schemas.drop(),
  };
}

async function beginTransaction(serverUrl: string): Promise<OpenTransaction> {
  const client = new Client(serverUrl);
  await client.connect();
  await client.query('begin');
  const end = async (how: 'commit' | 'rollback'): Promise<void> => {
    await client.query(how);
    await client.end();
  };
  return { transaction: client, commit: () => end('commit'), rollback: () => end('rollback') };
}
