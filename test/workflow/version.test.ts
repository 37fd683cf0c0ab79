import { expect, test } from 'vitest';
import { sleep, step, version } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, LOST_MS, startProcess } from './workflow-fixture.ts';

test('version() lets code change under jobs that are under way', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  let isChanged = false;
  const seen: number[] = [];
  const parent = client.durable('parent', async () => {
    await step('a', () => 1);
    if (isChanged) {
      const chosen = await version('check', 1);
      seen.push(chosen);
      if (chosen >= 1) await step('check', () => 1);
    }
    await step('b', () => 2);
    await sleep(1000);
    return step('c', () => 3);
  });
  const old = await parent();
  await runtime.advance(100);
  isChanged = true;
  const fresh = await parent();
  await runtime.advance(3000);
  expect(await old.details()).toMatchObject({ status: 'success', result: 3 });
  expect(await fresh.details()).toMatchObject({ status: 'success', result: 3 });
  expect(seen.sort()).toEqual([0, 1, 1]);
});

test('a change has one version throughout a job, wherever and however often it is asked for', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const seen: number[][] = [];
  let max = 1;
  const parent = client.durable(
    'parent',
    async () => {
      const first = await Promise.all([version('x', max), version('x', max), version('y', max)]);
      await step('between', () => {});
      const second = await Promise.all([version('y', max), version('x', max)]);
      seen.push([...first, ...second]);
      if (seen.length === 1) {
        max = 2;
        throw new Error('once');
      }
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(seen).toEqual([
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ]);
});

test('code that is rolled back below the version of a job ends it, and goes on with it once it is there again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  let max = 2;
  const parent = client.durable('parent', async () => {
    const chosen = await version('x', max);
    await sleep(500);
    return chosen;
  });
  const handle = await parent();
  await runtime.advance(100);
  max = 1;
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({
    status: 'dead',
    error: { name: 'NondeterminismError', message: expect.stringMatching(/version 2 of change "x".* 1$/) },
  });
  max = 3;
  await client.retryJob(handle.jobId);
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 2 });
});

test('a version that was asked for together with a call is remembered before it', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const runs: string[] = [];
  const start = async (name: string) => {
    const { client, kill } = await startProcess(fixture);
    const child = client.durable('child', () => {
      runs.push(name);
    });
    const parent = client.durable('parent', async () => {
      const [chosen, handle] = await Promise.all([version('x', 2), child({ delayMs: 100 })]);
      if (name === 'first') kill();
      await handle.result();
      return chosen;
    });
    return { client, parent };
  };
  const first = await start('first');
  const { jobId } = await first.parent();
  await runtime.advance(50);
  const second = await start('second');
  await runtime.advance(LOST_MS);
  expect(await second.client.getHandle(jobId).details()).toMatchObject({ status: 'success', result: 2 });
  expect(runs).toEqual(['second']);
});

test.each([
  ['', 1],
  ['x'.repeat(129), 1],
  ['\ud800', 1],
  [5, 1],
  ['x', 0],
  ['x', 1.5],
  ['x', 1_000_001],
  ['x', '1'],
])('version(%j, %j) is refused', async (changeId, max) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    version(changeId as string, max as number).catch((error: unknown) => caught.push(error)),
  );
  await parent();
  await runtime.advance(10);
  expect(caught).toMatchObject([withCode('invalid_argument')]);
});
