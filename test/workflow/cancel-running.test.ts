import { expect, test } from 'vitest';
import { currentJob, sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { FAST, work } from './workflow-fixture.ts';

test('what a handler waits for rejects when its job is asked to stop, now and later, and cleaning up still works', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const codes: unknown[] = [];
  const note = (error: { code?: string }): void => void codes.push(error.code);
  const child = client.durable('child', () => waitForSignal('never'));
  const log: string[] = [];
  const parent = client.durable('parent', async () => {
    const handle = await child();
    try {
      await handle.result();
    } catch (error) {
      note(error as { code?: string });
      await step('clean up', () => log.push('cleaned'));
      await waitForSignal('go').catch(note);
      await sleep(1000).catch(note);
      await handle.result().catch(note);
      log.push(currentJob().signal.aborted ? 'aborted' : 'not aborted');
      throw error;
    }
  });
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.cancel({ running: true })).toBe(true);
  await runtime.advance(10);
  expect(await handle.details()).toMatchObject({ status: 'cancelled', error: { name: 'JobCancelledError' } });
  // The child was cancelled with its parent, so that its end may be known.
  expect(codes).toEqual(Array.from({ length: 4 }, () => 'job_cancelled'));
  expect(log).toEqual(['cleaned', 'aborted']);
  await expect(handle.result()).rejects.toMatchObject({ code: 'job_cancelled' });
});

test('a handler that returns although its job was asked to stop succeeds', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable('parent', async () => waitForSignal('go').catch(() => 'returned all the same'));
  const handle = await parent();
  await runtime.advance(100);
  await handle.cancel({ running: true });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'returned all the same' });
});

test('a handler that fails after its job was asked to stop is not tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      runs++;
      await waitForSignal('go').catch(() => {});
      throw new TypeError('broken');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  await handle.cancel({ running: true });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'cancelled', error: { name: 'TypeError' } });
  expect(runs).toBe(1);
});

test('a worker whose hints are lost is told by its next heartbeat', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 3000, suspendAfterMs: 60_000 });
  const parent = client.durable('parent', () => waitForSignal('go'));
  const handle = await parent();
  await runtime.advance(100);
  storage.isHinting = false;
  const other = await startClient({ workerConcurrency: 0 });
  expect(await other.getHandle(handle.jobId).cancel({ running: true })).toBe(true);
  await runtime.advance(500);
  expect(await handle.details()).toMatchObject({ status: 'running', isCancelRequested: true });
  await runtime.advance(1000);
  expect(await handle.status()).toBe('cancelled');
});

test('a job that is asked to stop while it is replayed is first told what it was told before', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient();
  const log: string[] = [];
  const gate = createGate();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const run = ++runs;
      const branch = async (): Promise<void> => {
        await step('a', () => log.push('a'));
        await step('b', () => log.push('b'));
        if (run === 1) throw new Error('once');
        await waitForSignal('never');
      };
      await Promise.all([waitForSignal('never'), branch()]).catch(async (error: unknown) => {
        if (run > 1) await step('clean up', () => log.push('cleaned'));
        throw error;
      });
    },
    FAST,
  );
  const handle = await parent();
  storage.hold('getSteps', gate.opened);
  await runtime.advance(100);
  expect(await handle.status()).toBe('running');
  await handle.cancel({ running: true });
  await runtime.advance(100);
  gate.open();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'cancelled', error: { name: 'JobCancelledError' } });
  expect(log).toEqual(['a', 'b', 'cleaned']);
});

test('a job that is asked to stop while it is about to be suspended still hears of it', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 100 });
  const gate = createGate();
  const log: string[] = [];
  const parent = client.durable('parent', async () => {
    await step('a', () => {});
    await sleep(1);
    await waitForSignal('go').catch(() => log.push('heard'));
    throw new Error('stopped');
  });
  const handle = await parent();
  await runtime.advance(50);
  storage.hold('recordSteps', gate.opened);
  await runtime.advance(100);
  await handle.cancel({ running: true });
  gate.open();
  await runtime.advance(100);
  expect(await handle.status()).toBe('cancelled');
  expect(log).toEqual(['heard']);
});

test('the step of a job that is asked to stop sees it by its signal', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const reasons: unknown[] = [];
  const parent = client.durable('parent', () =>
    step('long', ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return work(runtime, 200);
    }),
  );
  const handle = await parent();
  await runtime.advance(100);
  await handle.cancel({ running: true });
  await runtime.advance(10);
  expect(reasons).toMatchObject([{ code: 'job_cancelled' }]);
  await runtime.advance(200);
  expect(await handle.status()).toBe('success');
});

test.each([{ runing: true }, { running: 1 }, null, 'running'])('cancel(%j) is refused', async (options) => {
  const { startClient } = createFixture();
  const client = await startClient();
  const handle = await client.durable('parent', () => {})();
  await expect(handle.cancel(options as object)).rejects.toMatchObject({ code: 'invalid_option' });
});
