import { expect, test } from 'vitest';
import { sleep, waitForSignal } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { work } from './workflow-fixture.ts';

test('children that end while the others are listed do not keep those from being cancelled', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: 500 });
  const gate = createGate();
  const child = client.durable('child', (n: number) => (n < 500 ? gate.opened : waitForSignal('never')));
  const parent = client.durable('parent', async () => {
    await child.enqueueMany(Array.from({ length: 1100 }, (_, n) => [n]));
    await sleep('1 day');
  });
  const handle = await parent();
  await runtime.advance(10_000);
  const countChildren = async () => (await client.counts()).find(({ name }) => name === 'child');
  expect(await countChildren()).toMatchObject({ running: 500 });
  const pages = [createGate(), createGate()] as const;
  storage.hold('listJobs', pages[0].opened);
  const cancelled = handle.cancel();
  await runtime.advance(1);
  storage.hold('listJobs', pages[1].opened);
  pages[0].open();
  await runtime.advance(1);
  gate.open();
  await runtime.advance(100);
  expect(await countChildren()).toMatchObject({ success: 500 });
  pages[1].open();
  expect(await cancelled).toBe(true);
  await runtime.advance(1000);
  expect(await countChildren()).toMatchObject({ success: 500, cancelled: 600, pending: 0, running: 0 });
});

test('what a job calls before it hears that it is to stop is cancelled once it has ended', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 3000, suspendAfterMs: 60_000 });
  const child = client.durable('child', () => waitForSignal('never'));
  const parent = client.durable('parent', async () => {
    await work(runtime, 200);
    await child({ delayMs: 3_600_000 });
    await child();
    await waitForSignal('never');
  });
  const handle = await parent();
  await runtime.advance(100);
  storage.isHinting = false;
  const other = await startClient({ workerConcurrency: 0 });
  expect(await other.getHandle(handle.jobId).cancel({ running: true })).toBe(true);
  await runtime.advance(200);
  const listStates = async (): Promise<string[]> =>
    (await other.listJobs({ parentId: handle.jobId })).jobs.map(({ status }) => status);
  expect(await handle.details()).toMatchObject({ status: 'running', isCancelRequested: true });
  expect(await listStates()).toHaveLength(2);
  await runtime.advance(5000);
  expect(await handle.status()).toBe('cancelled');
  expect(await listStates()).toEqual(['cancelled', 'cancelled']);
});
