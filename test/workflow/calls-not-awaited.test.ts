import { expect, test } from 'vitest';
import { step } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';

test('a call that a synchronous handler does not await is made before its job ends', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async () => 1);
  const parent = client.durable('parent', () => {
    void child();
    return 'done';
  });
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  const { jobs } = await client.listJobs({ parentId: handle.jobId });
  expect(jobs.map(({ status }) => status)).toEqual(['success']);
});

test('a call that a replayed handler does not await is made while what is remembered is read', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async () => 1);
  let runs = 0;
  const parent = client.durable(
    'parent',
    () => {
      if (++runs > 1) {
        void step('first', () => 1);
        void child();
        return;
      }
      return step('first', () => 1).then(() => {
        throw new Error('once');
      });
    },
    { initialDelayMs: 1, jitter: 0 },
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect((await client.listJobs({ parentId: handle.jobId })).total).toBe(1);
});
