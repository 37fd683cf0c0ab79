import { expect, test } from 'vitest';
import { ReseolioError } from '../../src/core/errors.ts';
import { type JobHandle, waitForSignal } from '../../src/index.ts';
import { type ClientFixture, createFixture, createGate } from '../client/client-fixture.ts';

/** A job that waits in memory, and has been sent a signal that its worker has just read; the read goes on. */
async function signalWaiting({ runtime, storage, startClient }: ClientFixture): Promise<JobHandle<number>> {
  const client = await startClient({ suspendAfterMs: 5000 });
  const parent = client.durable('parent', async () => waitForSignal<number>('go'));
  const handle = await parent();
  await runtime.advance(4000);
  const answered = createGate();
  storage.hold('getSignals', answered.opened);
  await handle.signal('go', 1);
  await runtime.advance(100);
  answered.open();
  return handle;
}

test('a signal that has been read is not slept through while the read goes on', async () => {
  const fixture = createFixture();
  const { runtime, storage } = fixture;
  const handle = await signalWaiting(fixture);
  const gate = createGate();
  storage.hold('getSignals', gate.opened);
  await runtime.advance(5000);
  gate.open();
  storage.heal('getSignals');
  const result = handle.result();
  await runtime.advance(60_000);
  expect(await handle.status()).toBe('success');
  expect(await result).toBe(1);
});

test('a signal that has been read is not slept through when the read fails', async () => {
  const fixture = createFixture();
  const { runtime, storage } = fixture;
  const handle = await signalWaiting(fixture);
  storage.fail('getSignals', new ReseolioError('storage_unavailable', 'cut'));
  await runtime.advance(5000);
  storage.heal('getSignals');
  const result = handle.result();
  await runtime.advance(60_000);
  expect(await handle.status()).toBe('success');
  expect(await result).toBe(1);
});
