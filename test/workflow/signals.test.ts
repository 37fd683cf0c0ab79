import { expect, test } from 'vitest';
import { sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture, createGate, withCode } from '../client/client-fixture.ts';
import { FAST, ONCE } from './workflow-fixture.ts';

test('each signal is taken once, those of a name in their order, also where they came before the wait', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable('parent', async () => {
    const first = await waitForSignal<number>('go');
    const second = await waitForSignal<number>('go');
    const other = await waitForSignal<string>('other');
    return [first, second, other];
  });
  const handle = await parent({ delayMs: 10 });
  await handle.signal('other', 'x');
  await handle.signal('go', 1);
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'running', signalCount: 2 });
  await handle.signal('go', 2);
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1, 2, 'x'] });
});

test('two that wait for signals of one name get them in the order in which they began to wait', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 50 });
  let runs = 0;
  const parent = client.durable('parent', async () => {
    runs++;
    return Promise.all([waitForSignal('go'), waitForSignal('go')]);
  });
  const handle = await parent();
  await runtime.advance(100);
  await handle.signal('go', 'first');
  await runtime.advance(100);
  await handle.signal('go', 'second');
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['first', 'second'] });
  expect(runs).toBe(3);
});

test('a signal wakes a job that is suspended, a signal of another name in vain', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 50 });
  const parent = client.durable('parent', () => waitForSignal('go'));
  const handle = await parent();
  await runtime.advance(100);
  await handle.signal('other');
  await runtime.advance(200);
  expect(await handle.details()).toMatchObject({ status: 'pending', isSuspended: true, attempt: 0 });
  await handle.signal('go', { approved: true });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: { approved: true } });
});

test('signals that were taken stay taken when the job is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      runs++;
      const first = await waitForSignal('go');
      await step('first', () => first);
      if (runs === 1) throw new Error('once');
      return [first, await waitForSignal('go')];
    },
    FAST,
  );
  const handle = await parent();
  await handle.signal('go', 1);
  await runtime.advance(100);
  await handle.signal('go', 2);
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1, 2] });
});

test.each([10, 10_000])(
  'a wait for a signal ends with its time-out, suspended after %i ms or not',
  async (suspendAfterMs) => {
    const { runtime, startClient } = createFixture();
    const client = await startClient({ suspendAfterMs });
    const parent = client.durable('parent', () => waitForSignal('go', { timeoutMs: 300 }), ONCE);
    const handle = await parent();
    await runtime.advance(250);
    expect(await handle.status()).toBe(suspendAfterMs === 10 ? 'pending' : 'running');
    await runtime.advance(100);
    expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'SignalTimeoutError' } });
  },
);

test('a time-out is remembered, and leaves a signal that comes later to the next wait', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const first = await waitForSignal('go', { timeoutMs: 100 }).catch(() => 'timed out');
      const second = await waitForSignal('go');
      await step('record', () => {});
      if (++runs === 1) throw new Error('once');
      return [first, second];
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(200);
  await handle.signal('go', 'late');
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['timed out', 'late'] });
});

test('a signal that came in time counts, though its job is run later and the storage is slow', async () => {
  const { runtime, storage, startClient } = createFixture();
  const start = async () => {
    const client = await startClient({ suspendAfterMs: 10 });
    return { client, parent: client.durable('parent', () => waitForSignal('go', { timeoutMs: 1000 })) };
  };
  const first = await start();
  const { jobId } = await first.parent();
  await runtime.advance(100);
  const stopping = first.client.stop();
  await runtime.advance(100);
  await stopping;
  const sender = await startClient({ workerConcurrency: 0 });
  await sender.getHandle(jobId).signal('go', 'in time');
  await runtime.advance(2000);
  const gate = createGate();
  storage.hold('getSignals', gate.opened);
  await start();
  await runtime.advance(100);
  gate.open();
  await runtime.advance(100);
  expect(await sender.getJob(jobId)).toMatchObject({ status: 'success', result: 'in time' });
});

test('a wait for a signal times out only once the storage has said that there is none', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 60_000 });
  const parent = client.durable('parent', () => waitForSignal('go', { timeoutMs: 100 }), ONCE);
  const handle = await parent();
  await runtime.advance(50);
  storage.isHinting = false;
  storage.fail('getSignals', new Error('cut'));
  await handle.signal('go', 'in time');
  await runtime.advance(2000);
  expect(await handle.status()).toBe('running');
  storage.heal('getSignals');
  await runtime.advance(1100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'in time' });
});

test('a signal to a job that has finished or is not there is refused', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable('parent', () => {});
  const handle = await parent();
  await runtime.advance(100);
  await expect(handle.signal('go')).rejects.toMatchObject(withCode('job_finished'));
  const unknown = client.getHandle('019b76da-a800-7000-8000-000000000000');
  await expect(unknown.signal('go')).rejects.toMatchObject(withCode('job_not_found'));
});

test.each(['', 'x'.repeat(129), '\udfff', 5])('a signal cannot be named %j', async (name) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    waitForSignal(name as string).catch((error: unknown) => caught.push(error)),
  );
  const handle = await parent();
  await expect(handle.signal(name as string)).rejects.toMatchObject(withCode('invalid_argument'));
  await runtime.advance(10);
  expect(caught).toMatchObject([withCode('invalid_argument')]);
});

test.each([-1, Number.NaN, '5', 4e14])('a wait for a signal cannot time out after %j', async (timeoutMs) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    waitForSignal('go', { timeoutMs: timeoutMs as number }).catch((error: unknown) => caught.push(error)),
  );
  await parent();
  await runtime.advance(10);
  expect(caught).toMatchObject([withCode('invalid_option')]);
});

test('a wait for a signal knows no options but its own', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    waitForSignal('go', { timeout: 5 } as object).catch((error: unknown) => caught.push(error)),
  );
  await parent();
  await runtime.advance(10);
  expect(caught).toMatchObject([withCode('invalid_option')]);
});

test('what a signal carries is packed as arguments are', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ maxPayloadBytes: 1000 });
  const parent = client.durable('parent', async () => {
    await sleep(1);
    return [await waitForSignal('nothing'), await waitForSignal('date')];
  });
  const handle = await parent();
  await expect(handle.signal('go', () => {})).rejects.toMatchObject(withCode('payload_unserializable'));
  await expect(handle.signal('go', 'x'.repeat(2000))).rejects.toMatchObject(withCode('payload_too_large'));
  await handle.signal('nothing');
  await handle.signal('date', { at: new Date(5), bytes: new Uint8Array([1]) });
  await runtime.advance(100);
  const { status, result } = await handle.details();
  expect(status).toBe('success');
  expect(result).toEqual([undefined, { at: new Date(5), bytes: new Uint8Array([1]) }]);
});
