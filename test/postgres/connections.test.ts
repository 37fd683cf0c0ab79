import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { Connections } from '../../src/backends/postgres/connections.ts';
import { migratePostgres } from '../../src/backends/postgres/open-postgres.ts';
import { BorrowedPool } from '../../src/backends/postgres/primary-pool.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { newJob } from '../processes/new-job.ts';
import { freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

describe('connections', () => {
  it('are at most as many as asked for, the one that listens included', async () => {
    const schema = freshSchema();
    const name = `count_${schema}`;
    const storage = await open(urlWith({ schema, poolMax: '4', application_name: name }));
    const count = async (): Promise<number> => {
      const rows = await query(serverUrl, 'select count(*)::int from pg_stat_activity where application_name = $1', [
        name,
      ]);
      return rows[0]?.count as number;
    };
    const reads = Array.from({ length: 50 }, () => storage.counts());
    await Promise.all(reads);
    expect(await count()).toBe(4);
    await storage.close();
    await expect.poll(count).toBe(0);
  });

  it('of a pool of the caller are used and left open', async () => {
    const schema = freshSchema();
    const pool = new Pool({ connectionString: serverUrl, max: 4 });
    onTestFinished(() => pool.end());
    const storage = await open({ pool, schema });
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    await storage.close();
    expect((await pool.query(`select count(*)::int from ${schema}.jobs`)).rows).toEqual([{ count: 1 }]);
    expect(pool.waitingCount).toBe(0);
  });

  it('of a pool with parsers of its own are read all the same', async () => {
    const schema = freshSchema();
    const types = { getTypeParser: () => () => 'parsed by somebody else' };
    const pool = new Pool({ connectionString: serverUrl, max: 4, types });
    onTestFinished(() => pool.end());
    const storage = await open({ pool, schema, listen: false });
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    expect(await storage.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id, state: 'pending', attempt: 0 }]);
  });

  it('of a pool that has room for one only are refused where one has to listen', async () => {
    const pool = new Pool({ connectionString: serverUrl, max: 1 });
    onTestFinished(() => pool.end());
    const schema = freshSchema();
    await expect(open({ pool, schema })).rejects.toMatchObject({
      code: 'unknown_storage',
      message: expect.stringContaining('max 2'),
    });
    const storage = await open({ pool, schema, listen: false });
    await Promise.all(Array.from({ length: 20 }, () => storage.enqueue({ jobs: [newJob()] })));
    expect((await storage.counts())[0]?.pending).toBe(20);
  });

  it('of a pool that nobody listens to may break while they are idle', async () => {
    const pool = new Pool({ connectionString: serverUrl, application_name: freshSchema() });
    onTestFinished(() => pool.end());
    const storage = await open({ pool, schema: freshSchema() });
    await Promise.all(Array.from({ length: 20 }, () => storage.counts()));
    await query(serverUrl, 'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      pool.options.application_name,
    ]);
    expect(await storage.enqueue({ jobs: [newJob()] })).toHaveLength(1);
  });

  it('of a pool that has none to give are waited for as long as anything else', async () => {
    const pool = new Pool({ connectionString: serverUrl, max: 1 });
    onTestFinished(() => pool.end());
    const runtime = createSystemRuntime();
    const source = new BorrowedPool(pool, null, 1000);
    const connections = new Connections({
      source,
      runtime,
      schema: 'x',
      address: 'here',
      isPrepared: false,
      timeoutMs: 200,
    });
    const select = { name: null, text: 'select 1', values: [] };
    const client = await pool.connect();
    await expect(connections.run(select)).rejects.toMatchObject({ code: 'storage_unavailable' });
    client.release();
    expect(await connections.run(select)).toEqual([['1']]);
    expect(pool.idleCount).toBe(1);
  });

  it('through a pooler name no statements', async () => {
    for (const [pooled, isNaming] of [
      [{}, true],
      [{ listen: false }, false],
      [{ listenUrl: serverUrl }, false],
    ] as const) {
      const pool = new Pool({ connectionString: serverUrl, max: 3 });
      const names = recordNames(pool);
      const storage = await open({ pool, schema: freshSchema(), ...pooled });
      await storage.enqueue({ jobs: [newJob()] });
      await storage.counts();
      await storage.close();
      await pool.end();
      expect(names.some((name) => name !== undefined)).toBe(isNaming);
    }
  });
});

/** The names of the statements that go through `pool`. */
function recordNames(pool: Pool): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (config: { name?: string }) => Promise<never>;
    client.query = ((config: { name?: string }) => {
      names.push(config.name);
      return query(config);
    }) as typeof client.query;
  });
  return names;
}

describe('durability', () => {
  it('is that of the server, asked for where the server has it off, and given up where relaxed', async () => {
    const schema = freshSchema();
    await migratePostgres(urlWith({ schema }));
    await query(serverUrl, `create table ${schema}.seen (setting text)`);
    await query(
      serverUrl,
      `create function ${schema}.see() returns trigger language plpgsql as $$ begin
        insert into ${schema}.seen values (current_setting('synchronous_commit')); return null; end $$;
      create trigger see after insert on ${schema}.jobs execute function ${schema}.see()`,
    );
    const seen = async (): Promise<unknown[]> => {
      const rows = await query(serverUrl, `delete from ${schema}.seen returning setting`);
      return rows.map(({ setting }) => setting);
    };
    const off = { options: '-c synchronous_commit=off' };
    for (const [parameters, durability, expected] of [
      [{}, 'strict', 'on'],
      [{}, 'relaxed', 'off'],
      [off, 'strict', 'on'],
      [{ options: '-c synchronous_commit=remote_apply' }, 'strict', 'remote_apply'],
    ] as const) {
      const storage = await open(urlWith({ schema, ...parameters }), { durability });
      await storage.enqueue({ jobs: [newJob()] });
      await storage.enqueue({ jobs: [newJob(), newJob({ idempotencyKey: 'k' })] });
      expect(await seen(), JSON.stringify(parameters)).toEqual([expected, expected]);
      await storage.close();
      await query(serverUrl, `truncate ${schema}.jobs`);
    }
  });
});
