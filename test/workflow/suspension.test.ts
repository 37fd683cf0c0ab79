import { expect, test } from 'vitest';
import { type Reseolio, sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { ONCE, work } from './workflow-fixture.ts';

test('a long sleep suspends its job, which is replayed when the time is there', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 100 });
  let runs = 0;
  const parent = client.durable('parent', async () => {
    runs++;
    const begunAt = await step('begin', () => runtime.now());
    await sleep('3s');
    return runtime.now() - begunAt;
  });
  const handle = await parent();
  await runtime.advance(50);
  expect(await handle.details()).toMatchObject({ status: 'pending', isSuspended: true, attempt: 0 });
  await runtime.advance(4000);
  const { status, result } = await handle.details();
  expect(status).toBe('success');
  expect(result).toBeGreaterThanOrEqual(3000);
  expect(result).toBeLessThan(3010);
  expect(runs).toBe(2);
});

test('a short sleep is slept in memory', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 100 });
  let runs = 0;
  const parent = client.durable('parent', async () => {
    runs++;
    await sleep(100);
  });
  const handle = await parent();
  await runtime.advance(50);
  expect(await handle.details()).toMatchObject({ status: 'running', isSuspended: false });
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(runs).toBe(1);
});

test('a child that takes long suspends its parent, which is woken by its end', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 100 });
  const gate = createGate();
  const child = client.durable('child', async () => {
    await gate.opened;
    return 'done';
  });
  let runs = 0;
  const parent = client.durable('parent', async () => {
    runs++;
    return (await child()).result();
  });
  const handle = await parent();
  await runtime.advance(90);
  expect(await handle.status()).toBe('running');
  await runtime.advance(50);
  expect(await handle.details()).toMatchObject({ status: 'pending', isSuspended: true });
  gate.open();
  await runtime.advance(50);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'done' });
  expect(runs).toBe(2);
});

test('suspended jobs need no heartbeats', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 100, leaseMs: 300 });
  const parent = client.durable('parent', () => waitForSignal('go'));
  await parent.enqueueMany([[], [], []]);
  await runtime.advance(250);
  const before = storage.paramsOf('extendLeases').length;
  await runtime.advance(1000);
  const leases = storage.paramsOf('extendLeases').slice(before);
  expect(leases.flatMap((params) => params.leases)).toEqual([]);
});

test('with suspendAfterMs 0 every wait suspends, and no attempt is used up by it', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 0, workerConcurrency: 1 });
  let runs = 0;
  const child = client.durable('child', (n: number) => n);
  const parent = client.durable(
    'parent',
    async () => {
      runs++;
      const values: number[] = [];
      for (const n of [1, 2, 3]) values.push(await (await child(n)).result());
      await sleep(10);
      return [...values, await waitForSignal<number>('go')];
    },
    ONCE,
  );
  const handle = await parent();
  await handle.signal('go', 4);
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1, 2, 3, 4], attempt: 1 });
  expect(runs).toBeGreaterThanOrEqual(5);
});

async function stopped(client: Reseolio, advance: (ms: number) => Promise<void>, withinMs: number): Promise<void> {
  let hasStopped = false;
  const stopping = client.stop().then(() => {
    hasStopped = true;
  });
  await advance(withinMs);
  expect(hasStopped).toBe(true);
  await stopping;
}

test('stop() suspends at once what waits, and what begins to wait in its grace time', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 60_000, shutdownGraceMs: 60_000 });
  const waiting = client.durable('waiting', () => waitForSignal('go'), ONCE);
  const napping = client.durable('napping', () => sleep(30_000), ONCE);
  const busy = client.durable(
    'busy',
    async () => {
      await step('busy', () => work(runtime, 200));
      await waitForSignal('go');
    },
    ONCE,
  );
  const handles = [await waiting(), await napping(), await busy()];
  await runtime.advance(100);
  await stopped(client, (ms) => runtime.advance(ms), 150);
  const reader = await startClient({ workerConcurrency: 0 });
  for (const { jobId } of handles) {
    expect(await reader.getJob(jobId)).toMatchObject({ status: 'pending', isSuspended: true, attempt: 0 });
  }
});

test('a job that is woken and claimed by a client that stops goes on with its attempt elsewhere', async () => {
  const { runtime, storage, startClient } = createFixture();
  let childRuns = 0;
  const start = async () => {
    const client = await startClient({ suspendAfterMs: 10, shutdownGraceMs: 10 });
    const runChild = async (): Promise<void> => {
      childRuns++;
      await work(runtime, 500);
      throw new Error('child');
    };
    const child = client.durable('child', runChild, ONCE);
    const parent = client.durable('parent', async () => (await child()).result().catch(() => 'told'));
    return { client, parent };
  };
  const first = await start();
  const handle = await first.parent();
  await runtime.advance(400);
  expect(await handle.details()).toMatchObject({ isSuspended: true });
  const gate = createGate();
  storage.hold('claim', gate.opened);
  await runtime.advance(200);
  const stopping = first.client.stop();
  await runtime.advance(5);
  gate.open();
  storage.heal('claim');
  await runtime.advance(500);
  await stopping;
  const second = await start();
  await runtime.advance(1500);
  expect(await second.client.getJob(handle.jobId)).toMatchObject({ status: 'success', result: 'told' });
  expect(childRuns).toBe(1);
});

test('beyond a thousand handlers that wait in memory the oldest are suspended, save those that have to stay', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 60_000, workerConcurrency: 1000 });
  const slow = client.durable('slow', () => sleep(100_000));
  const stays = client.durable('stays', () => step('waits', async () => (await slow()).result()));
  const waits = client.durable('waits', () => waitForSignal('go'));
  const first = await stays();
  await runtime.advance(100);
  const handles = await waits.enqueueMany(Array.from({ length: 1300 }, () => []));
  await runtime.advance(1000);
  expect(await client.listJobs({ statuses: ['running'], limit: 1 })).toMatchObject({ total: 1000 });
  expect(await first.status()).toBe('running');
  expect(await handles[0]?.details()).toMatchObject({ isSuspended: true });
  expect(await handles[1299]?.details()).toMatchObject({ isSuspended: false });
});
