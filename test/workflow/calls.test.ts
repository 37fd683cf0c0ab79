import { expect, test } from 'vitest';
import { step } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, startProcess, work } from './workflow-fixture.ts';

test('a child that succeeded is not run again when its parent is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const log: string[] = [];
  const child = client.durable('child', async (n: number) => {
    log.push(`child ${n}`);
    return n * 2;
  });
  const parent = client.durable(
    'parent',
    async () => {
      const first = await (await child(1)).result();
      log.push('between');
      if (log.filter((entry) => entry === 'between').length === 1) throw new Error('once');
      return first + (await (await child(2)).result());
    },
    FAST,
  );
  const handle = await parent();
  const result = handle.result();
  await runtime.advance(1000);
  expect(await result).toBe(6);
  expect(log).toEqual(['child 1', 'between', 'between', 'child 2']);
  const { jobs } = await client.listJobs({ parentId: handle.jobId });
  expect(jobs.map(({ parentId }) => parentId)).toEqual([handle.jobId, handle.jobId]);
});

test('calls that are made concurrently keep their order, and their jobs when they are made again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async (letter: string) => letter);
  const ids: string[][] = [];
  const parent = client.durable(
    'parent',
    async () => {
      const handles = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => child(letter)));
      ids.push(handles.map(({ jobId }) => jobId));
      if (ids.length < 3) throw new Error('again');
      return Promise.all(handles.map((handle) => handle.result()));
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['a', 'b', 'c', 'd'] });
  expect(ids).toEqual([ids[0], ids[0], ids[0]]);
  const { jobs } = await client.listJobs({ parentId: handle.jobId, ascending: true });
  expect(jobs.map(({ id }) => id)).toEqual(ids[0]);
});

test('enqueueMany in a handler makes children, once', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let calls = 0;
  const child = client.durable('child', async (n: number) => n * n);
  const parent = client.durable(
    'parent',
    async () => {
      const handles = await child.enqueueMany(Array.from({ length: 50 }, (_, n) => [n]));
      if (++calls === 1) throw new Error('once');
      const squares = await Promise.all(handles.map((handle) => handle.result()));
      return squares.reduce((a, b) => a + b, 0);
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 40_425 });
  expect(await client.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 50 });
});

test('an idempotency key wins over the place of a call, and what was deduplicated stays so', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const seen: [string, boolean][] = [];
  const child = client.durable('child', async () => 'shared');
  const parent = client.durable(
    'parent',
    async (name: string) => {
      const handle = await child({ idempotencyKey: 'shared' });
      seen.push([handle.jobId, handle.deduplicated]);
      if (seen.filter(([id]) => id === handle.jobId).length % 2 === 1) throw new Error(`${name} once`);
      return handle.result();
    },
    FAST,
  );
  const first = await parent('first');
  await runtime.advance(100);
  const second = await parent('second');
  await runtime.advance(100);
  expect(await first.details()).toMatchObject({ status: 'success', result: 'shared' });
  expect(await second.details()).toMatchObject({ status: 'success', result: 'shared' });
  expect(new Set(seen.map(([jobId]) => jobId)).size).toBe(1);
  expect(seen.map(([, deduplicated]) => deduplicated)).toEqual([false, false, true, true]);
  expect(await client.listJobs({ parentId: first.jobId })).toMatchObject({ total: 1 });
  expect(await client.listJobs({ parentId: second.jobId })).toMatchObject({ total: 0 });
});

test('a child that runs or is pending is awaited by the next run of its parent', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const runs: string[] = [];
  const children = await startProcess(fixture, { workerConcurrency: 1 });
  const run = async (name: string): Promise<string> => {
    runs.push(name);
    await work(runtime, 1500);
    return name;
  };
  children.client.durable('child', run);
  const start = async () => {
    const { client, storage, kill } = await startProcess(fixture);
    // Its own worker does not run the children.
    const caller = await fixture.startClient({ workerConcurrency: 0, storage });
    const child = caller.durable('child', run);
    const parent = client.durable('parent', async () => {
      const handles = await Promise.all([child('one'), child('two')]);
      return Promise.all(handles.map((handle) => handle.result()));
    });
    return { parent, kill };
  };
  const first = await start();
  const { jobId } = await first.parent();
  await runtime.advance(200);
  first.kill();
  await start();
  await runtime.advance(5000);
  expect(runs).toEqual(['one', 'two']);
  expect(await children.client.getHandle(jobId).details()).toMatchObject({ status: 'success', result: ['one', 'two'] });
});

test('delayMs and priority of a call in a handler are heeded', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const log: [string, number][] = [];
  const begunAt = runtime.now();
  const child = client.durable('child', async (name: string) => {
    log.push([name, runtime.now() - begunAt]);
  });
  const parent = client.durable('parent', async () => {
    const handles = await Promise.all([
      child('late', { delayMs: 500 }),
      child('low', { priority: -5 }),
      child('high', { priority: 5 }),
    ]);
    await Promise.all(handles.map((handle) => handle.result()));
  });
  const handle = await parent();
  await runtime.advance(2000);
  expect(await handle.status()).toBe('success');
  expect(log.map(([name]) => name)).toEqual(['high', 'low', 'late']);
  expect(log[2]?.[1]).toBeGreaterThanOrEqual(500);
});

test('a durable function of another client on the same storage is called as a child', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const other = await startClient();
  let calls = 0;
  const child = other.durable('child', async () => 'by the other');
  const parent = client.durable(
    'parent',
    async () => {
      const handle = await child();
      if (++calls === 1) throw new Error('once');
      return handle.result();
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'by the other' });
  expect(await other.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 1 });
});

test('a durable function of a client on another storage is called by every run, and is no child', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const elsewhere = createFixture();
  const other = await elsewhere.startClient({ runtime });
  let calls = 0;
  const child = other.durable('child', async () => 'elsewhere');
  const parent = client.durable(
    'parent',
    async () => {
      const handle = await child();
      await step('between', () => {});
      if (++calls === 1) throw new Error('once');
      return handle.result();
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(3000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'elsewhere' });
  const { jobs } = await other.listJobs({});
  expect(jobs.map(({ parentId }) => parentId)).toEqual([null, null]);
  const stopped = other.stop();
  await runtime.advance(30_000);
  await stopped;
});

test('a call with tx in a handler is the transaction’s, and no request of the handler', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async () => {});
  const parent = client.durable('parent', async () => {
    const tx = { query: async () => ({ rows: [] }) };
    await expect(child({ tx })).rejects.toMatchObject(withCode('transaction_unsupported'));
    return step('after', () => 'went on');
  });
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'went on', stepCount: 1 });
});
