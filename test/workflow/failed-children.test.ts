import { expect, test } from 'vitest';
import { JobFailedError, type Reseolio, step, waitForSignal } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { FAST, LOST_MS, ONCE, startProcess, work } from './workflow-fixture.ts';

/** A child that fails the first time that it is called, and what it and its parent do. */
function defineFlaky(client: Reseolio, ms = 0): { child: () => Promise<string>; runs: () => number } {
  let runs = 0;
  const child = client.durable(
    'child',
    async () => {
      if (++runs === 1) throw new Error('child');
      return `run ${runs}`;
    },
    ONCE,
  );
  const call = async (): Promise<string> => (await child({ delayMs: ms })).result();
  return { child: call, runs: () => runs };
}

test('a child that ended dead is called anew when its parent is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const { child, runs } = defineFlaky(client);
  const parent = client.durable('parent', child, FAST);
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'run 2', attempt: 2 });
  expect(runs()).toBe(2);
  expect(await client.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 2 });
});

test('a child that was cancelled is called anew when its parent is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const child = client.durable('child', async () => ++runs);
  const parent = client.durable('parent', async () => (await child({ delayMs: 50 })).result(), FAST);
  const handle = await parent();
  await runtime.advance(10);
  const { jobs } = await client.listJobs({ names: ['child'] });
  await client.getHandle(jobs[0]?.id ?? '').cancel();
  await runtime.advance(200);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 1, attempt: 2 });
});

test('a child that ended dead while its parent was suspended is told, and not called anew', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const { child, runs } = defineFlaky(client, 100);
  const parent = client.durable('parent', () => child().catch((error: Error) => error.message));
  const handle = await parent();
  await runtime.advance(50);
  expect(await handle.details()).toMatchObject({ isSuspended: true });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'child', attempt: 1 });
  expect(runs()).toBe(1);
});

test('a child that ended dead in a run that died is called anew', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const runs: string[] = [];
  const start = async (name: string) => {
    const process = await startProcess(fixture);
    const child = process.client.durable(
      'child',
      () => {
        runs.push(name);
        if (name === 'first') throw new Error('child');
      },
      ONCE,
    );
    const parent = process.client.durable('parent', async () => {
      const handle = await child();
      await work(runtime, 50);
      return handle.result();
    });
    return { ...process, parent };
  };
  const first = await start('first');
  const { jobId } = await first.parent();
  await runtime.advance(20);
  first.kill();
  const second = await start('second');
  await runtime.advance(LOST_MS);
  expect(await second.client.getJob(jobId)).toMatchObject({ status: 'success', attempt: 2 });
  expect(runs).toEqual(['first', 'second']);
});

test('a child with an idempotency key stays what it is, however often its parent is tried', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const child = client.durable(
    'child',
    () => {
      runs++;
      throw new Error('child');
    },
    ONCE,
  );
  const parent = client.durable('parent', async () => (await child({ idempotencyKey: 'k' })).result(), FAST);
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'dead', attempt: 3, error: { name: 'JobFailedError' } });
  expect(runs).toBe(1);
});

test('a failure that the handler went on from stands', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const { child, runs } = defineFlaky(client);
  const caught: unknown[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      await child().catch(async (error: unknown) => {
        caught.push(error);
        await step('refund', () => 'refunded');
      });
      if (caught.length === 1) throw new Error('once');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(caught).toHaveLength(2);
  for (const error of caught) expect(error).toBeInstanceOf(JobFailedError);
  expect(caught).toMatchObject([
    { errorMessage: 'child', attempts: 1 },
    { errorMessage: 'child', attempts: 1 },
  ]);
  expect(runs()).toBe(1);
});

test('of children that are called together only the one that failed is called anew', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const runs: string[] = [];
  const child = client.durable(
    'child',
    async (name: string) => {
      runs.push(name);
      if (name === 'b' && runs.filter((run) => run === 'b').length === 1) throw new Error('child');
      return name;
    },
    ONCE,
  );
  const parent = client.durable(
    'parent',
    async () => {
      const handles = await Promise.all(['a', 'b', 'c'].map((name) => child(name)));
      return Promise.all(handles.map((handle) => handle.result()));
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['a', 'b', 'c'] });
  expect(runs.sort()).toEqual(['a', 'b', 'b', 'c']);
});

test('a dead parent that is retried goes on with the children that it has', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let isBroken = true;
  const runs: string[] = [];
  const child = client.durable(
    'child',
    (name: string) => {
      runs.push(name);
      if (name === 'second' && isBroken) throw new Error('child');
      return name;
    },
    ONCE,
  );
  const parent = client.durable(
    'parent',
    async () => [await (await child('first')).result(), await (await child('second')).result()],
    ONCE,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('dead');
  isBroken = false;
  expect(await client.retryJob(handle.jobId)).toBe(true);
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['first', 'second'] });
  expect(runs).toEqual(['first', 'second', 'second']);
});

test('a parent that is woken by something else does not take a dead child for an earlier attempt’s', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const { child, runs } = defineFlaky(client, 100);
  const parent = client.durable('parent', async () => {
    const result = child().catch((error: Error) => error.message);
    const signal = await waitForSignal('go');
    return [signal, await result];
  });
  const handle = await parent();
  await runtime.advance(50);
  await handle.signal('go', 1);
  await runtime.advance(200);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1, 'child'], attempt: 1 });
  expect(runs()).toBe(1);
});

test.each([false, true])(
  'a child that dies after a wait for it timed out is called anew, and awaited in its place (suspended: %s)',
  async (isSuspended) => {
    const { runtime, startClient } = createFixture();
    const client = await startClient({ suspendAfterMs: isSuspended ? 20 : 5000 });
    let runs = 0;
    const child = client.durable(
      'child',
      async () => {
        await work(runtime, 100);
        if (++runs < 3) throw new Error(`child ${runs}`);
        return `run ${runs}`;
      },
      ONCE,
    );
    const told: string[] = [];
    const parent = client.durable(
      'parent',
      async () => {
        const handle = await child();
        const first = await handle.result(10).catch((error: Error) => error.name);
        told.push(first);
        return handle.result();
      },
      FAST,
    );
    const handle = await parent();
    await runtime.advance(1000);
    expect(await handle.details()).toMatchObject({ status: 'success', result: 'run 3', attempt: 3 });
    expect(new Set(told)).toEqual(new Set(['ResultTimeoutError']));
    expect(await client.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 3 });
  },
);
