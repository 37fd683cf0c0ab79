import { expect, test } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { waitForSignal } from '../../src/index.ts';
import { type ClientFixture, createFixture } from '../client/client-fixture.ts';
import { withSlowReads } from './slow-reads.ts';
import { work } from './workflow-fixture.ts';

const TIMEOUT_MS = 1000;

/**
 * A job waits for a signal and another for the end of a third. Their process goes away, and what they wait for comes in time
 * or not at all; they run again on `storage` long after their time-outs. Returns what each came to.
 */
async function replayLate(fixture: ClientFixture, comes: boolean, storage: Storage): Promise<unknown[]> {
  const { runtime, startClient } = fixture;
  const outside = await startClient({ workerConcurrency: 0 });
  const other = await outside.durable('other', () => 'in time')();
  const start = async (own: Storage) => {
    const client = await startClient({ suspendAfterMs: 10, shutdownGraceMs: 10, storage: own });
    const name = (error: Error): string => error.name;
    return {
      client,
      signalled: client.durable('signalled', () => waitForSignal('go', { timeoutMs: TIMEOUT_MS }).catch(name)),
      told: client.durable('told', () => client.getHandle(other.jobId).result(TIMEOUT_MS).catch(name)),
    };
  };
  const first = await start(fixture.storage);
  const handles = [await first.signalled(), await first.told()];
  await runtime.advance(100);
  const stopping = first.client.stop();
  await runtime.advance(100);
  await stopping;
  if (comes) {
    await outside.getHandle(handles[0]?.jobId ?? '').signal('go', 'in time');
    const worker = await startClient();
    worker.durable('other', () => 'in time');
    await runtime.advance(100);
  }
  await runtime.advance(5 * TIMEOUT_MS);
  await start(storage);
  await runtime.advance(5 * TIMEOUT_MS);
  return Promise.all(handles.map(async ({ jobId }) => (await outside.getJob(jobId))?.result));
}

test.each([0, 3, 300])(
  'what came in time comes before the time-out in a late replay, with reads of %i ms',
  async (ms) => {
    const fixture = createFixture();
    const slow = withSlowReads(fixture.storage, fixture.runtime, ms);
    expect(await replayLate(fixture, true, slow)).toEqual(['in time', 'in time']);
  },
);

test.each([0, 3, 300])('what has not come times out in a late replay, with reads of %i ms', async (ms) => {
  const fixture = createFixture();
  const slow = withSlowReads(fixture.storage, fixture.runtime, ms);
  expect(await replayLate(fixture, false, slow)).toEqual(['SignalTimeoutError', 'ResultTimeoutError']);
});

test.each([
  [true, ['in time', 'in time']],
  [false, ['SignalTimeoutError', 'ResultTimeoutError']],
])('a late replay whose first reads fail finds out before it times out: came in time %j', async (comes, outcomes) => {
  const fixture = createFixture();
  const { runtime, storage } = fixture;
  let failures = 0;
  const failing = new Proxy<Storage>(storage, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if ((key !== 'getSignals' && key !== 'getJobs') || failures >= 4) return value;
      return async () => {
        failures++;
        await work(runtime, 3);
        throw new Error('cut');
      };
    },
  });
  expect(await replayLate(fixture, comes, failing)).toEqual(outcomes);
  expect(failures).toBe(4);
});
