import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { Reseolio, type ReseolioOptions } from '../../src/index.ts';
import { connect, freshSchema, serverUrl, urlWith } from './postgres-fixture.ts';

async function start(options: ReseolioOptions): Promise<Reseolio> {
  const client = new Reseolio(options);
  onTestFinished(() => client.stop());
  await client.start();
  return client;
}

describe('a client on Postgres', () => {
  it('runs in one process what another enqueues, and gives it the result', async () => {
    const storage = urlWith({ schema: freshSchema() });
    const [web, worker] = await Promise.all([
      start({ storage, workerConcurrency: 0 }),
      start({ storage, workerConcurrency: 4 }),
    ]);
    const double = web.durable('double', async (x: number) => x * 2);
    worker.durable('double', async (x: number) => x * 2);
    const handles = await double.enqueueMany([[1], [2], [3]]);
    expect(await Promise.all(handles.map((handle) => handle.result(10_000)))).toEqual([2, 4, 6]);
    expect(await web.counts()).toMatchObject([{ name: 'double', success: 3 }]);
    expect((await web.listJobs({ statuses: ['success'], names: ['double'], limit: 2 })).total).toBe(3);
  });

  it('runs everything by polling where nothing is heard of others', async () => {
    const storage = urlWith({ schema: freshSchema(), listen: 'off' });
    const [web, worker] = await Promise.all([start({ storage, workerConcurrency: 0 }), start({ storage })]);
    worker.durable('f', async () => 'done');
    const handle = await web.durable('f', async () => 'done')();
    expect(await handle.result(10_000)).toBe('done');
  });

  it('takes a pool of the caller, and transactions on it', async () => {
    const pool = new Pool({ connectionString: serverUrl });
    onTestFinished(() => pool.end());
    const schema = freshSchema();
    const client = await start({ storage: { pool, schema } });
    await query(serverUrl, `create table ${schema}.orders (id int)`);
    const ship = client.durable('ship', async (order: number) => `shipped ${order}`);

    const place = async (order: number, end: 'commit' | 'rollback') => {
      const tx = await pool.connect();
      await tx.query('begin');
      await tx.query(`insert into ${schema}.orders values ($1)`, [order]);
      const handle = await ship.callWithOptions([order], { tx, idempotencyKey: `order-${order}` });
      await tx.query(end);
      tx.release();
      return handle;
    };
    const placed = await place(1, 'commit');
    expect(await placed.result(10_000)).toBe('shipped 1');
    const dropped = await place(2, 'rollback');
    await expect(dropped.result(10_000)).rejects.toMatchObject({ code: 'job_not_found' });
    expect((await client.listJobs()).total).toBe(1);
    expect((await place(1, 'commit')).deduplicated).toBe(true);
  });

  it('takes transactions as a trailing option and for batches', async () => {
    const client = await start({ storage: urlWith({ schema: freshSchema() }), workerConcurrency: 0 });
    const f = client.durable('f', async (_x: number) => {});
    const tx = await connect();
    await tx.query('begin');
    await f(1, { tx });
    await f.enqueueMany([[2], [3]], { tx });
    expect((await client.listJobs()).total).toBe(0);
    await tx.query('commit');
    expect((await client.listJobs()).total).toBe(3);
  });

  it('refuses a transaction that cannot be one, with nothing stored', async () => {
    const client = await start({ storage: urlWith({ schema: freshSchema() }), workerConcurrency: 0 });
    const f = client.durable('f', async () => {});
    const mute = { query: async () => 'no rows' };
    await expect(f.callWithOptions([], { tx: mute })).rejects.toMatchObject({ code: 'invalid_argument' });
    const memory = await start({ storage: 'memory://', workerConcurrency: 0 });
    const g = memory.durable('g', async () => {});
    await expect(g.callWithOptions([], { tx: mute })).rejects.toMatchObject({ code: 'transaction_unsupported' });
    expect((await client.listJobs()).total + (await memory.listJobs()).total).toBe(0);
  });

  it('is told at the call what cannot be a storage', async () => {
    for (const storage of [{}, { pool: {} }, null, 7] as never[]) {
      expect(() => new Reseolio({ storage })).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    }
    expect(() => new Reseolio({ migrate: 'never' as never })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    );
    const misspelt = new Reseolio({ storage: 'postgress://user:secret@host/db' });
    const failure = await misspelt.start().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'unknown_storage' });
    expect((failure as Error).message).not.toContain('secret');
  });
});
