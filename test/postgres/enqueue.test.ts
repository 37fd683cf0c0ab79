import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import type { SqlTransaction } from '../../src/core/sql-transaction.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { connect, freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

/** How many transactions `work` commits that write to the schema's jobs. */
async function countStatements(schema: string, work: () => Promise<unknown>): Promise<number> {
  await query(
    serverUrl,
    `create table if not exists ${schema}.statements (jobs int);
    create or replace function ${schema}.note() returns trigger language plpgsql as $$ begin
      insert into ${schema}.statements select count(*) from added; return null; end $$;
    create or replace trigger note after insert on ${schema}.jobs referencing new table as added
      for each statement execute function ${schema}.note()`,
  );
  await work();
  const rows = await query(serverUrl, `delete from ${schema}.statements returning jobs`);
  return rows.length;
}

describe('enqueues', () => {
  it('that are made while others are under way go together', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    const enqueue = (): Promise<unknown> => storage.enqueue({ jobs: [newJob()] });
    await enqueue();
    expect(await countStatements(schema, () => Promise.all(Array.from({ length: 500 }, enqueue)))).toBe(1);
    const apart = async (): Promise<void> => {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 200; i++) {
        calls.push(enqueue());
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(calls);
    };
    expect(await countStatements(schema, apart)).toBeLessThan(100);
    expect(await countStatements(schema, enqueue)).toBe(1);
  });

  it('are all stored or none, call by call, whoever goes with them', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, timeoutMs: '2000' }));
    await storage.enqueue({ jobs: [newJob({ name: 'known' })] });
    await query(serverUrl, `alter table ${schema}.queue add constraint picky check (run_at <> 13)`);
    const sound = newJob({ name: 'known' });
    const results = await Promise.allSettled([
      storage.enqueue({ jobs: [newJob({ name: 'known' }), newJob({ name: 'known', runAt: 13 })] }),
      storage.enqueue({ jobs: [sound] }),
    ]);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'storage_unavailable' } });
    // Those that went with it may be rejected too, and can be repeated.
    await storage.enqueue({ jobs: [sound] });
    expect((await storage.counts())[0]?.pending).toBe(2);
  });

  it('with a key that an open transaction has stored wait for it, and hold up no others', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    const client = await connect();
    await client.query('begin');
    const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);
    const inside = keys.map((idempotencyKey) => newJob({ idempotencyKey }));
    await storage.enqueueInTransaction({ jobs: inside, transaction: client });

    let isWaiting = true;
    const waiting = Promise.all(keys.map((idempotencyKey) => storage.enqueue({ jobs: [newJob({ idempotencyKey })] })));
    void waiting.finally(() => {
      isWaiting = false;
    });
    for (let i = 0; i < 20; i++) {
      await storage.enqueue({ jobs: [newJob()] });
      await storage.enqueue({ jobs: [newJob({ idempotencyKey: `free-${i}` })] });
      await storage.counts();
    }
    expect(isWaiting).toBe(true);
    await client.query('commit');
    expect((await waiting).flat()).toEqual(inside.map(({ id }) => ({ jobId: id, deduplicated: true })));
  });

  it('that go with a call that has to wait do not wait for it, nor for many of its kind', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    const client = await connect();
    await client.query('begin');
    const held = newJob({ idempotencyKey: 'held' });
    await storage.enqueueInTransaction({ jobs: [held], transaction: client });
    const enqueue = (idempotencyKey: string) => storage.enqueue({ jobs: [newJob({ idempotencyKey })] });
    const waiting = Promise.all(Array.from({ length: 7 }, () => enqueue('held')));
    const others = await Promise.all(Array.from({ length: 60 }, (_, i) => enqueue(`free-${i}`)));
    expect(others.flat().every(({ deduplicated }) => !deduplicated)).toBe(true);
    await client.query('commit');
    expect(new Set((await waiting).flat().map(({ jobId }) => jobId))).toEqual(new Set([held.id]));
  });

  it('that wait for a transaction that does not end give up when their time is up', async () => {
    const storage = await open(urlWith({ schema: freshSchema(), timeoutMs: '500' }));
    const client = await connect();
    await client.query('begin');
    await storage.enqueueInTransaction({ jobs: [newJob({ idempotencyKey: 'held' })], transaction: client });
    await expect(storage.enqueue({ jobs: [newJob({ idempotencyKey: 'held' })] })).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('another transaction holds'),
    });
  });

  it.each(['repeatable read', 'serializable'])(
    'in a transaction of isolation %s may be the first of a function',
    async (level) => {
      const storage = await open(urlWith({ schema: freshSchema() }));
      const client = await connect();
      await client.query(`begin isolation level ${level}`);
      await client.query('select 1 from pg_class limit 1');
      const job = newJob();
      await storage.enqueueInTransaction({ jobs: [job], transaction: client });
      await client.query('commit');
      expect(await storage.getJobs({ jobIds: [job.id] })).toMatchObject([{ state: 'pending' }]);
    },
  );

  it('in a pool, of which each query goes elsewhere, are refused, with nothing stored', async () => {
    const storage = await open(urlWith({ schema: freshSchema() }));
    const pool = new Pool({ connectionString: serverUrl });
    onTestFinished(() => pool.end());
    const enqueue = (transaction: SqlTransaction) => storage.enqueueInTransaction({ jobs: [newJob()], transaction });
    await expect(enqueue(pool)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('pool'),
    });
    expect(await storage.counts()).toEqual([]);
  });

  it('of a function that is used for the first time do not wait for the transaction that they are in', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, timeoutMs: '1000' }));
    const client = await connect();
    await client.query('begin');
    await client.query(`select ${schema}.enqueue('new', '[]')`);
    const jobs = [newJob({ name: 'new', priority: 3 }), newJob({ name: 'newer' }), newJob({ name: 'new' })];
    await storage.enqueueInTransaction({ jobs, transaction: client });
    await client.query('commit');
    const claim = { workerId: 'w', leaseToken: ids.next(), names: ['newer', 'new'], limit: 9, leaseMs: 1000 };
    const { jobs: claimed } = await storage.claim(claim);
    expect(claimed.map(({ name, priority }) => `${name} ${priority}`)).toEqual(['newer 0', 'new 3', 'new 0', 'new 0']);
  });

  it('in transactions that take keys in opposite orders end, one way or another', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    await storage.enqueue({ jobs: [newJob()] });
    const [a, b] = await Promise.all([connect(), connect()]);
    await Promise.all([a.query('begin'), b.query('begin')]);
    const enqueue = (client: typeof a, idempotencyKey: string) =>
      storage.enqueueInTransaction({ jobs: [newJob({ idempotencyKey })], transaction: client });
    await enqueue(a, 'one');
    await enqueue(b, 'two');
    const results = await Promise.allSettled([enqueue(a, 'two').finally(() => a.query('commit')), enqueue(b, 'one')]);
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    await b.query('commit');
    const again = await storage.enqueue({
      jobs: [newJob({ idempotencyKey: 'one' }), newJob({ idempotencyKey: 'two' })],
    });
    expect(again).toHaveLength(2);
  });
});
