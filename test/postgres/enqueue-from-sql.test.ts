import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { DEFAULT_JOB_OPTIONS } from '../../src/core/options.ts';
import { currentJob, Reseolio } from '../../src/index.ts';
import { collectHints, isWorkHint } from '../../src/testing/hint-collector.ts';
import { connect, freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

async function openSchema() {
  const schema = freshSchema();
  const storage = await open(urlWith({ schema }));
  const enqueue = async (name: unknown, args: unknown, options?: unknown): Promise<string> => {
    const values = [name, JSON.stringify(args), ...(options === undefined ? [] : [JSON.stringify(options)])];
    const list = values.map((_, i) => `$${i + 1}`).join(', ');
    const [row] = await query(serverUrl, `select ${schema}.enqueue(${list}) as id`, values);
    return row?.id as string;
  };
  return { schema, storage, enqueue };
}

describe('a job that SQL enqueues', () => {
  it('has the defaults of the library and JSON as its arguments', async () => {
    const { storage, enqueue } = await openSchema();
    const id = await enqueue('mail:send', ['a@b.example', { n: 1.5 }]);
    const [job] = await storage.getJobs({ jobIds: [id] });
    expect(job).toMatchObject({
      id,
      name: 'mail:send',
      state: 'pending',
      priority: 0,
      idempotencyKey: null,
      options: DEFAULT_JOB_OPTIONS,
      args: { encoding: 'json' },
    });
    expect(JSON.parse(String(job?.args.bytes))).toEqual(['a@b.example', { n: 1.5 }]);
    expect(job?.runAt).toBe(job?.createdAt);
    expect(Math.abs(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) - (job?.createdAt ?? 0))).toBeLessThan(
      1000,
    );
    expect(id[14]).toBe('7');
    expect(await storage.counts()).toMatchObject([{ name: 'mail:send', pending: 1 }]);
  });

  it('has the options that were given', async () => {
    const { storage, enqueue } = await openSchema();
    const options = { maxAttempts: 7, backoff: 'fixed', initialDelayMs: 5.5, maxDelayMs: 9, timeoutMs: 77, jitter: 0 };
    const id = await enqueue(
      'task',
      { one: 'argument' },
      { ...options, priority: -7, delayMs: 60_000, idempotencyKey: 'é' },
    );
    const [job] = await storage.getJobs({ jobIds: [id] });
    expect(job).toMatchObject({ options, priority: -7, idempotencyKey: 'é' });
    expect(job?.runAt).toBe((job?.createdAt ?? 0) + 60_000);
    expect(JSON.parse(String(job?.args.bytes))).toEqual([{ one: 'argument' }]);
    const at = await enqueue('task', [], { runAt: 5 });
    expect((await storage.getJobs({ jobIds: [at] }))[0]?.runAt).toBe(5);
  });

  it('is the one that has the key already, whoever made it', async () => {
    const { storage, enqueue } = await openSchema();
    const first = await enqueue('task', [1], { idempotencyKey: 'k' });
    expect(await enqueue('task', [2], { idempotencyKey: 'k' })).toBe(first);
    expect(await enqueue('other', [2], { idempotencyKey: 'k' })).not.toBe(first);
    expect(await storage.counts()).toMatchObject([{ name: 'other' }, { name: 'task', pending: 1 }]);
  });

  it('is run by the library like any other', async () => {
    const { schema, enqueue } = await openSchema();
    const client = new Reseolio({ storage: urlWith({ schema }) });
    onTestFinished(() => client.stop());
    client.durable('add', async (a: number, b: number) => ({ sum: a + b, name: currentJob().name }));
    await client.start();
    const handle = client.getHandle(await enqueue('add', [2, 3]));
    expect(await handle.result(10_000)).toEqual({ sum: 5, name: 'add' });
    expect((await handle.details()).args).toEqual([2, 3]);
  });

  it('exists if and only if the transaction commits, and workers hear of it then', async () => {
    const { schema, storage } = await openSchema();
    const hints: unknown[] = [];
    const heard = new Promise<void>((resolve) => {
      storage.watch((hint) => {
        hints.push(hint);
        if (isWorkHint('task')(hint)) resolve();
      });
    });
    const client = await connect();
    await client.query('begin');
    await client.query(`select ${schema}.enqueue('task', '[1]')`);
    await client.query('rollback');
    expect(await storage.counts()).toEqual([]);
    await client.query('begin');
    await client.query(`select ${schema}.enqueue('task', '[2]')`);
    expect(await storage.counts()).toEqual([]);
    expect(hints.some((hint) => isWorkHint('task')(hint as never))).toBe(false);
    await client.query('commit');
    await heard;
    expect(await storage.counts()).toMatchObject([{ name: 'task', pending: 1 }]);
  });

  it('can be enqueued by a trigger', async () => {
    const { schema, storage } = await openSchema();
    await query(
      serverUrl,
      `create table ${schema}.orders (id int);
      create function ${schema}.order_placed() returns trigger language plpgsql as $$ begin
        perform ${schema}.enqueue('orders:placed', jsonb_build_array(new.id)); return new; end $$;
      create trigger order_placed after insert on ${schema}.orders for each row execute function ${schema}.order_placed()`,
    );
    await query(serverUrl, `insert into ${schema}.orders select generate_series(1, 3)`);
    expect(await storage.counts()).toMatchObject([{ name: 'orders:placed', pending: 3 }]);
  });

  it('is refused without arguments, and with the options null has the defaults', async () => {
    const { schema, storage } = await openSchema();
    const enqueue = (args: string): Promise<unknown> => query(serverUrl, `select ${schema}.enqueue('task', ${args})`);
    await expect(enqueue('null')).rejects.toMatchObject({ message: expect.stringContaining('the arguments are null') });
    await enqueue(`'null'`);
    await enqueue(`'[]', null`);
    expect(await storage.counts()).toMatchObject([{ pending: 2 }]);
  });

  it.each([
    ['', [], {}, 'cannot name a function'],
    ['a b', [], {}, 'cannot name a function'],
    [null, [], {}, 'cannot name a function'],
    ['task', 'x'.repeat(1_048_576), {}, 'pass at most'],
    ['task', [], [], 'pass an object'],
    ['task', [], { delayMs: 1, runAt: 1 }, 'pass one of them'],
    ['task', [], { unknown: 1 }, 'option unknown is 1'],
    ['task', [], { maxAttempts: 0 }, 'option maxAttempts is 0'],
    ['task', [], { maxAttempts: 1.5 }, 'option maxAttempts is 1.5'],
    ['task', [], { maxAttempts: '3' }, 'option maxAttempts is "3"'],
    ['task', [], { priority: 101 }, 'option priority is 101'],
    ['task', [], { timeoutMs: null }, 'option timeoutMs is null'],
    ['task', [], { jitter: 2 }, 'option jitter is 2'],
    ['task', [], { backoff: 'none' }, 'option backoff is "none"'],
    ['task', [], { idempotencyKey: '' }, 'option idempotencyKey is ""'],
    ['task', [], { idempotencyKey: 'x'.repeat(256) }, 'option idempotencyKey is'],
    ['task', [], { runAt: 1e300 }, 'option runAt is'],
  ])('is refused with what was wrong: %j %j %j', async (name, args, options, message) => {
    const { storage, enqueue } = await openSchema();
    await expect(enqueue(name, args, options)).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining(message),
    });
    expect(await storage.counts()).toEqual([]);
  });
});

describe('hints', () => {
  it('of others cannot be read as something that they are not', async () => {
    const { schema, storage } = await openSchema();
    const hints = collectHints(storage);
    for (const payload of [
      '',
      'no json',
      'null',
      '[]',
      '{"work":7,"finished":["x",1],"signals":{}}',
      '{"work":["task"],"finished":[]}',
    ]) {
      await query(serverUrl, 'select pg_notify($1, $2)', [`reseolio_${schema}`, payload]);
    }
    await expect.poll(() => hints.hints.some((hint) => hint.kind === 'work' && hint.names?.[0] === 'task')).toBe(true);
    const known = ['work', 'finished', 'signals', 'schedules'];
    expect(hints.hints.filter(({ kind }) => !known.includes(kind))).toEqual([]);
  });

  it('of others are about schedules where they say so, and where nobody knows what they say', async () => {
    const { schema, storage } = await openSchema();
    const hints = collectHints(storage);
    for (const payload of [
      '{"work":[],"finished":[]}',
      '{"work":[],"finished":[],"schedules":"yes"}',
      '{"work":[],"finished":[],"schedules":true}',
      'no json',
      '{"work":["task"],"finished":[]}',
    ]) {
      await query(serverUrl, 'select pg_notify($1, $2)', [`reseolio_${schema}`, payload]);
    }
    await expect.poll(() => hints.hints.some((hint) => hint.kind === 'work' && hint.names?.[0] === 'task')).toBe(true);
    expect(hints.hints.filter(({ kind }) => kind === 'schedules')).toHaveLength(2);
  });
});
