import { expect, test } from 'vitest';
import { currentJob, sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { Gauge, ONCE, work } from './workflow-fixture.ts';

test.each([1, 10])(
  'a hundred parents finish with %i slots, which no more handlers take up',
  async (workerConcurrency) => {
    const { runtime, startClient } = createFixture();
    const client = await startClient({ workerConcurrency });
    const gauge = new Gauge();
    const child = client.durable('child', (n: number) =>
      gauge.during(async () => {
        await work(runtime, 1);
        return n;
      }),
    );
    const parent = client.durable('parent', async (n: number) => {
      const handles = await Promise.all([0, 1, 2].map((i) => child(n + i)));
      const values = await Promise.all(handles.map((handle) => handle.result()));
      return gauge.during(async () => {
        await step('add', () => work(runtime, 1));
        return values.reduce((a, b) => a + b, 0);
      });
    });
    const handles = await parent.enqueueMany(Array.from({ length: 100 }, (_, n) => [n]));
    const results = Promise.all(handles.map((handle) => handle.result()));
    await runtime.advance(2000);
    expect(await results).toEqual(Array.from({ length: 100 }, (_, n) => 3 * n + 3));
    expect(gauge.most).toBe(workerConcurrency);
  },
);

test('a handler that can go on comes before jobs that have not begun', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const log: string[] = [];
  const other = client.durable('other', async (n: number) => {
    log.push(`other ${n}`);
    await work(runtime, 100);
  });
  const parent = client.durable('parent', async () => {
    await waitForSignal('go');
    log.push('parent');
  });
  const handle = await parent();
  await runtime.advance(10);
  await other.enqueueMany([[1], [2], [3]]);
  await runtime.advance(50);
  await handle.signal('go');
  await runtime.advance(1000);
  expect(log).toEqual(['other 1', 'parent', 'other 2', 'other 3']);
});

test('a claim that has to be repeated keeps the slots that it may still fill', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const gauge = new Gauge();
  const run = (): Promise<void> => gauge.during(() => work(runtime, 500));
  const other = client.durable('other', run);
  const parent = client.durable('parent', async () => {
    await waitForSignal('go');
    await run();
  });
  const handle = await parent();
  await runtime.advance(10);
  storage.fail('claim', new Error('cut'));
  await other();
  await runtime.advance(10);
  await handle.signal('go');
  await runtime.advance(10);
  storage.heal('claim');
  await runtime.advance(3000);
  expect(await handle.status()).toBe('success');
  expect(gauge.most).toBe(1);
});

test('a client that stops while its claims fail lets handlers that can go on do so', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const gate = createGate();
  const parent = client.durable('parent', async () => {
    await step('waits', async () => (await other()).result());
    return 'went on';
  });
  const other = client.durable('other', () => gate.opened);
  const handle = await parent();
  await runtime.advance(10);
  storage.fail('claim', new Error('cut'));
  gate.open();
  await runtime.advance(10);
  const stopped = client.stop();
  await runtime.advance(100);
  await stopped;
  storage.heal('claim');
  const reader = await startClient({ workerConcurrency: 0 });
  expect(await reader.getHandle(handle.jobId).details()).toMatchObject({ status: 'success', result: 'went on' });
});

test('the time-out of an attempt counts the time that its handler runs', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10_000 });
  const deadlines: number[] = [];
  const begunAt = runtime.now();
  const parent = client.durable(
    'parent',
    async () => {
      deadlines.push(currentJob().deadline - begunAt);
      await work(runtime, 60);
      await sleep(500);
      deadlines.push(currentJob().deadline - begunAt);
      await work(runtime, 30);
      return 'in time';
    },
    { ...ONCE, timeoutMs: 100 },
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'in time' });
  expect(deadlines[0]).toBe(100);
  expect(deadlines[1]).toBeGreaterThanOrEqual(600);
  expect(deadlines[1]).toBeLessThan(610);
});

test('an attempt whose handler runs longer than its time-out ends, however it has waited in between', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10_000 });
  const parent = client.durable(
    'parent',
    async () => {
      await work(runtime, 60);
      await sleep(500);
      await work(runtime, 60);
    },
    { ...ONCE, timeoutMs: 100 },
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'AttemptTimeoutError' } });
});

test('the time in which a handler that can go on waits for a slot does not count', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const parent = client.durable(
    'parent',
    async () => {
      await waitForSignal('go');
      await work(runtime, 50);
      return 'in time';
    },
    { ...ONCE, timeoutMs: 100 },
  );
  const other = client.durable('other', () => work(runtime, 1000));
  const handle = await parent();
  await runtime.advance(10);
  await other();
  await runtime.advance(10);
  await handle.signal('go');
  await runtime.advance(2000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'in time' });
});
