import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migratePostgres, openPostgres } from '../../src/backends/postgres/open-postgres.ts';
import type { Storage } from '../../src/core/storage.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import type { OpenTransaction, StorageHarness } from '../../src/testing/storage-harness.ts';

/** A new schema for each rule, opened with further URL parameters, such as `&listen=off`; the clock of the database is driven, everything else is as it is. */
export function createPostgresHarness(serverUrl: string, parameters = ''): StorageHarness {
  return {
    capabilities: { isPersistent: true, isShared: true, isTransactional: true },
    async open() {
      const schema = `rule_${randomBytes(6).toString('hex')}`;
      const url = `${serverUrl}?schema=${schema}&poolMax=4${parameters}`;
      const runtime = new DrivenRuntime();
      await migratePostgres(url);
      const operator = new Client(serverUrl);
      await operator.connect();
      await driveClock(operator, schema, runtime.now());
      const openOne = (): Promise<Storage> => openPostgres(url, { runtime, durability: 'strict', migrate: 'manual' });
      const storage = await openOne();
      const opened = [storage];
      const openMore = async (): Promise<Storage> => {
        const another = await openOne();
        opened.push(another);
        return another;
      };
      return {
        storage,
        now: runtime.now,
        async advance(ms) {
          await operator.query(`update ${schema}.driven_clock set ms = ms + $1`, [ms]);
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
          await operator.query(`drop schema ${schema} cascade`);
          await operator.end();
        },
      };
    },
  };
}

/** Puts a clock that stands still in the place of the server's. */
async function driveClock(operator: Client, schema: string, startAt: number): Promise<void> {
  await operator.query(`
    create table ${schema}.driven_clock as select ${startAt}::float8 as ms;
    create or replace function ${schema}.clock_ms() returns float8 language sql volatile
    as 'select ms from ${schema}.driven_clock'`);
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
