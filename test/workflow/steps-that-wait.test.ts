import { expect, test } from 'vitest';
import { sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { Gauge, ONCE, work } from './workflow-fixture.ts';

const LONG = { initialDelayMs: 3_600_000, maxDelayMs: 3_600_000 } as const;

test('durable calls in a step are no children, and their results are awaited without the slot', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const child = client.durable('child', async (n: number) => n * 2);
  const parent = client.durable('parent', async () => step('calls', async () => (await child(21)).result()));
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 42 });
  expect(await client.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 0 });
});

test('a step that waits for several jobs at once, one after the other in one slot', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const child = client.durable('child', async (n: number) => {
    await work(runtime, 10 * n);
    return n;
  });
  const parent = client.durable('parent', async () =>
    step('calls', async () => {
      const handles = await child.enqueueMany([[1], [2], [3]]);
      return Promise.all(handles.map((handle) => handle.result()));
    }),
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1, 2, 3] });
});

test('a step that waits does not give away the slot of another that runs', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const gauge = new Gauge();
  const run = (): Promise<void> => gauge.during(() => work(runtime, 300));
  const child = client.durable('child', async () => {
    await waitForSignal('never', { timeoutMs: 1000 }).catch(() => {});
  });
  const other = client.durable('other', run);
  const parent = client.durable('parent', async () => {
    const waits = step('waits', async () => {
      const handles = await child.enqueueMany([[], []]);
      await Promise.all(handles.map((handle) => handle.result()));
    });
    await Promise.all([waits, step('runs', run)]);
  });
  const handle = await parent();
  await other({ delayMs: 100 });
  await runtime.advance(5000);
  expect(await handle.status()).toBe('success');
  expect(gauge.most).toBe(1);
});

test('a try that timed out while it waited leaves the next one its slot', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const gauge = new Gauge();
  const run = (): Promise<void> => gauge.during(() => work(runtime, 300));
  const slow = client.durable('slow', () => sleep(2000));
  const other = client.durable('other', run);
  const parent = client.durable('parent', async () =>
    step('tried', async ({ attempt }) => (attempt === 1 ? (await slow()).result() : run()), {
      timeoutMs: 500,
      initialDelayMs: 1,
      jitter: 0,
    }),
  );
  const handle = await parent();
  await other({ delayMs: 600 });
  await runtime.advance(5000);
  expect(await handle.status()).toBe('success');
  expect(gauge.most).toBe(1);
});

test('a step that is asked for while the handler waits runs in a slot', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const gauge = new Gauge();
  const run = (): Promise<void> => gauge.during(() => work(runtime, 100));
  const other = client.durable('other', run);
  const parent = client.durable('parent', async () => {
    const branch = async (): Promise<void> => {
      await work(runtime, 50);
      await step('late', run);
    };
    await Promise.all([waitForSignal('go', { timeoutMs: 1000 }).catch(() => {}), branch()]);
  });
  const handle = await parent();
  await other({ delayMs: 10 });
  await runtime.advance(2000);
  expect(await handle.status()).toBe('success');
  expect(gauge.most).toBe(1);
});

test('the wait of a step rejects when its job is asked to stop', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 1 });
  const slow = client.durable('slow', () => sleep(3_600_000));
  const parent = client.durable('parent', async () => step('waits', async () => (await slow()).result()));
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.cancel({ running: true })).toBe(true);
  await runtime.advance(100);
  expect(await handle.status()).toBe('cancelled');
});

test('a step is not tried again once its job is asked to stop, however long it was to pause', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let tries = 0;
  const fail = (): void => {
    tries++;
    throw new Error('no');
  };
  const parent = client.durable('parent', () => step('flaky', fail, LONG), ONCE);
  const handle = await parent();
  await runtime.advance(100);
  await handle.cancel({ running: true });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'cancelled', error: { name: 'StepFailedError' } });
  expect(tries).toBe(1);
});

test('a handler whose step pauses ends when its lease is lost', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 300, workerConcurrency: 1 });
  const caught: unknown[] = [];
  let tries = 0;
  const fail = (): void => {
    tries++;
    throw new Error('no');
  };
  const parent = client.durable(
    'parent',
    () => step('flaky', fail, LONG).catch((error: unknown) => caught.push(error)),
    ONCE,
  );
  await parent();
  await runtime.advance(100);
  storage.fail('extendLeases', new Error('cut'));
  await runtime.advance(500);
  storage.heal('extendLeases');
  expect(caught).toMatchObject([{ code: 'lease_lost' }]);
  expect(tries).toBe(1);
});

test('the time-out of a step does not outlive its job', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const hang = (): Promise<void> => new Promise(() => {});
  const parent = client.durable('parent', () => step('hangs', hang, { timeoutMs: 86_400_000 }), {
    ...ONCE,
    timeoutMs: 100,
  });
  const handle = await parent();
  await runtime.advance(200);
  expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'AttemptTimeoutError' } });
  const stopped = client.stop();
  await runtime.advance(30_000);
  await stopped;
  expect(runtime.pendingTimers).toBe(0);
});
