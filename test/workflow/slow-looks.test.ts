import { expect, test } from 'vitest';
import { waitForSignal } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { withSlowReads } from './slow-reads.ts';

test.each([1, 3, 200])(
  'a handler that is suspended at once is suspended once, though looking takes %i ms',
  async (ms) => {
    const { runtime, storage, startClient } = createFixture();
    const client = await startClient({ suspendAfterMs: 0, storage: withSlowReads(storage, runtime, ms) });
    const gate = createGate();
    const runs = { signalled: 0, parent: 0 };
    const child = client.durable('child', () => gate.opened);
    const signalled = client.durable('signalled', () => {
      runs.signalled++;
      return waitForSignal('go');
    });
    const parent = client.durable('parent', async () => {
      runs.parent++;
      return (await child()).result();
    });
    const handles = [await signalled(), await parent()];
    await runtime.advance(10_000);
    const suspensions = storage
      .paramsOf('settle')
      .flatMap(({ settlements }) => settlements.filter(({ outcome }) => outcome.kind === 'suspend'));
    expect(suspensions.map(({ lease }) => lease.jobId).sort()).toEqual(handles.map(({ jobId }) => jobId).sort());
    expect(runs).toEqual({ signalled: 1, parent: 1 });
    await handles[0]?.signal('go');
    gate.open();
    await runtime.advance(3000);
    expect(runs).toEqual({ signalled: 2, parent: 2 });
    const jobs = await storage.getJobs({ jobIds: handles.map(({ jobId }) => jobId) });
    expect(jobs).toMatchObject([{ state: 'success' }, { state: 'success' }]);
  },
);
