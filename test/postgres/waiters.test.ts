import { describe, expect, it } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import type { Lease } from '../../src/core/job.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { connect, freshSchema, serverUrl } from './postgres-fixture.ts';
import { call, claim, openTwo, record, settle, start, success, suspension } from './steps-fixture.ts';

async function countWaiters(schema: string): Promise<number> {
  const [row] = await query(serverUrl, `select count(*)::int from ${schema}.waiters`);
  return row?.count;
}

/** How many rows were updated in the queue and added to its waiters, as the server's statistics have it once a storage is closed. */
async function countWritten(schema: string): Promise<{ queue: number; waiters: number }> {
  const rows = await query(
    serverUrl,
    'select relname, n_tup_ins::int, n_tup_upd::int from pg_stat_user_tables where schemaname = $1',
    [schema],
  );
  const of = (table: string) => rows.find(({ relname }) => relname === table);
  return { queue: of('queue')?.n_tup_upd, waiters: of('waiters')?.n_tup_ins };
}

describe('who awaits a job', () => {
  it('writes nothing to those that it awaited before, nor are children awaited that it waits for in memory', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const [parent] = (await start(storage, [newJob()])) as [Lease];
    const children = Array.from({ length: 20 }, () => newJob({ name: 'child' }));
    const jobIds = (await record(storage, parent, children.map(call))) as string[];
    const readAwaited = () => query(serverUrl, `select from ${schema}.queue where is_awaited`);
    expect(await readAwaited()).toHaveLength(0);
    let lease = parent;
    for (let round = 0; round < 5; round++) {
      await settle(storage, suspension(lease, jobIds, { signalsSeen: round }));
      await storage.signal({ signals: [{ id: ids.next(), jobId: parent.jobId, name: 'go', payload: null }] });
      [lease] = (await claim(storage, 'test:job', 1)) as [Lease];
    }
    expect(await readAwaited()).toHaveLength(20);
    // The steps, and each time a claim, a suspension and a signal.
    const queue = 1 + 1 + 20 + 3 * 5;
    await storage.close();
    await expect.poll(() => countWritten(schema), { timeout: 5000 }).toEqual({ queue, waiters: 20 });
  });

  it('leaves no trace in a job that many await for a while', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const [awaited] = (await start(storage, [newJob({ name: 'awaited' })])) as [Lease];
    const jobs = Array.from({ length: 30 }, () => newJob());
    await storage.enqueue({ jobs });
    for (const _ of jobs) {
      const [lease] = (await claim(storage, 'test:job', 1)) as [Lease];
      await settle(storage, suspension(lease, [awaited.jobId], { signalsSeen: 0 }));
      await storage.cancel({ jobIds: [lease.jobId], isRunningIncluded: false });
    }
    expect(await countWaiters(schema)).toBe(0);
  });

  it('leaves no trace once all have ended, however they were woken and went on', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const awaited = await start(
      storage,
      [1, 2, 3].map(() => newJob({ name: 'awaited' })),
    );
    const [first, second, third] = awaited as [Lease, Lease, Lease];
    const [one, other] = (await start(storage, [newJob(), newJob()])) as [Lease, Lease];
    const both = [first.jobId, second.jobId];
    await settle(storage, suspension(one, both), suspension(other, both, { signalsSeen: 0 }));
    expect(await countWaiters(schema)).toBe(4);
    await storage.signal({ signals: [{ id: ids.next(), jobId: other.jobId, name: 'go', payload: null }] });
    const [woken] = (await claim(storage, 'test:job', 2)) as [Lease];
    await settle(storage, suspension(woken, [second.jobId, third.jobId]));
    expect(await countWaiters(schema)).toBe(4);
    await settle(storage, success(first));
    const [again] = (await claim(storage, 'test:job', 2)) as [Lease];
    await settle(storage, { lease: again, outcome: { kind: 'release' } });
    await settle(storage, success((await claim(storage, 'test:job', 2))[0] as Lease));
    expect(await countWaiters(schema)).toBe(2);
    await settle(storage, success(second), success(third));
    expect(await countWaiters(schema)).toBe(0);
    expect(await claim(storage, 'test:job', 2)).toMatchObject([{ jobId: other.jobId }]);
  });
});

describe('a job that very many await', () => {
  it('is written to once, and a row is added for each of them, once for all', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const [awaited] = (await start(storage, [newJob({ name: 'awaited' })])) as [Lease];
    const waiting = await start(
      storage,
      Array.from({ length: 200 }, () => newJob()),
    );
    for (const lease of waiting) await settle(storage, suspension(lease, [awaited.jobId]));
    // Each was claimed and suspended; the other was claimed, and is awaited from now on.
    await storage.close();
    await expect.poll(() => countWritten(schema), { timeout: 5000 }).toEqual({ queue: 1 + 400 + 1, waiters: 200 });
  });

  it('is not held up by them, and wakes them all', async () => {
    const [storage] = await openTwo();
    const [awaited] = (await start(storage, [newJob({ name: 'awaited' })])) as [Lease];
    const waiting = await start(
      storage,
      Array.from({ length: 3000 }, () => newJob({ name: 'waiting' })),
    );
    // In small calls, as a worker of few slots makes them.
    for (let at = 0; at < waiting.length; at += 50) {
      const batch = waiting.slice(at, at + 50);
      await settle(storage, ...batch.map((lease) => suspension(lease, [awaited.jobId])));
    }
    expect(await claim(storage, 'waiting', 1)).toEqual([]);
    await settle(storage, success(awaited));
    expect(await claim(storage, 'waiting', 3000)).toHaveLength(3000);
  });

  it('is forgotten only with jobs that were there to be locked: one that is retried meanwhile may be awaited again', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const [dead, running] = (await start(storage, [newJob(), newJob()])) as [Lease, Lease];
    await settle(storage, { lease: dead, outcome: { kind: 'dead', error: { name: 'E', message: 'm', stack: null } } });
    const cancel = await connect();
    await cancel.query('begin');
    const { rows } = await cancel.query(`select ${schema}.lock_ending($1) as locked`, [[dead.jobId, running.jobId]]);
    const [{ locked }] = rows as [{ locked: string[] }];
    await storage.retry({ jobIds: [dead.jobId] });
    const [waiter] = (await start(storage, [newJob({ name: 'waiter' })])) as [Lease];
    await settle(storage, suspension(waiter, [dead.jobId]));
    expect(await countWaiters(schema)).toBe(1);
    await cancel.query(`select ${schema}.wake_waiters($1, ${schema}.clock_ms())`, [locked]);
    await cancel.query('commit');
    expect(locked).toEqual([running.jobId]);
    expect(await countWaiters(schema)).toBe(1);
  });
});
