import { expect, test } from 'vitest';
import { step, waitForSignal } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';

/** As `MAX_PARKED` of the worker's slots. */
const MAX_PARKED = 1000;
const CONCURRENCY = 10;
const LONG = { initialDelayMs: 60_000, backoff: 'fixed', jitter: 0 } as const;

function failingStep(): Promise<never> {
  return step(
    'call a service that is down',
    () => {
      throw new Error('down');
    },
    LONG,
  );
}

test('a worker that holds a thousand jobs whose steps are to be tried again claims no more', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: CONCURRENCY });
  let begun = 0;
  const parent = client.durable('parent', () => {
    begun++;
    return failingStep();
  });
  await parent.enqueueMany(Array.from({ length: 3000 }, () => []));
  await runtime.advance(3000);
  const [counts] = await client.counts();
  expect(counts?.running).toBe(begun);
  expect(begun).toBeGreaterThan(MAX_PARKED);
  expect(begun).toBeLessThanOrEqual(MAX_PARKED + CONCURRENCY);
});

test('a step that is to be tried again keeps no other handler that waits in memory', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ workerConcurrency: CONCURRENCY, suspendAfterMs: 3_600_000 });
  const failing = await client.durable('failing', failingStep)();
  await runtime.advance(100);
  const waits = client.durable('waits', () => waitForSignal('go'));
  await waits.enqueueMany(Array.from({ length: 1500 }, () => []));
  await runtime.advance(1000);
  expect(await failing.status()).toBe('running');
  expect(await client.listJobs({ statuses: ['running'], limit: 1 })).toMatchObject({ total: MAX_PARKED });
});
