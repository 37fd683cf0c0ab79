import { expect, test } from 'vitest';
import { sleep, step } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, LOST_MS, startProcess } from './workflow-fixture.ts';

test.each<[unknown, number]>([
  [250, 250],
  ['250ms', 250],
  ['0.5 s', 500],
  ['1 second', 1000],
  [0, 0],
  [new Date(5), 0],
])('sleep(%j) takes %i ms', async (duration, ms) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable('parent', async () => {
    const begunAt = runtime.now();
    await sleep(duration as number);
    return runtime.now() - begunAt;
  });
  const handle = await parent();
  await runtime.advance(2000);
  const { result } = await handle.details();
  expect(result).toBeGreaterThanOrEqual(ms);
  expect(result).toBeLessThan(ms + 5);
});

test('a handler can sleep until a Date', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const until = runtime.now() + 700;
  const parent = client.durable('parent', async () => {
    await sleep(new Date(until));
    return runtime.now();
  });
  const handle = await parent();
  await runtime.advance(2000);
  const { result } = await handle.details();
  expect(result).toBeGreaterThanOrEqual(until);
  expect(result).toBeLessThan(until + 10);
});

test.each([
  [-1],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [4e11],
  [''],
  ['soon'],
  ['-1 day'],
  ['1'.repeat(200)],
  ['1000 years'],
  [new Date(Number.NaN)],
  [new Date(-1)],
  [new Date(8e12)],
  [undefined],
  [null],
  [{ ms: 5 }],
])('sleep(%j) is refused', async (duration) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    sleep(duration as number).catch((error: unknown) => caught.push(error)),
  );
  await parent();
  await runtime.advance(10);
  expect(caught).toMatchObject([withCode('invalid_argument')]);
});

test('time passes while no worker runs', async () => {
  const fixture = createFixture();
  const { runtime, startClient } = fixture;
  const start = async () => {
    const client = await startClient({ suspendAfterMs: 10 });
    const parent = client.durable('parent', async () => {
      const begunAt = await step('begin', () => runtime.now());
      await sleep(1000);
      return runtime.now() - begunAt;
    });
    return { client, parent };
  };
  const first = await start();
  const { jobId } = await first.parent();
  await runtime.advance(100);
  const stopping = first.client.stop();
  await runtime.advance(100);
  await stopping;
  await runtime.advance(3000);
  const second = await start();
  await runtime.advance(10);
  const details = await second.client.getJob(jobId);
  expect(details).toMatchObject({ status: 'success' });
  expect(details?.result).toBeGreaterThanOrEqual(3200);
  expect(details?.result).toBeLessThan(3300);
});

test('a crash makes a sleep in memory no longer', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const start = async () => {
    const process = await startProcess(fixture, { suspendAfterMs: 60_000 });
    const parent = process.client.durable('parent', async () => {
      const begunAt = await step('begin', () => runtime.now());
      await sleep(2 * LOST_MS);
      return runtime.now() - begunAt;
    });
    return { ...process, parent };
  };
  const first = await start();
  const { jobId } = await first.parent();
  await runtime.advance(100);
  first.kill();
  const second = await start();
  await runtime.advance(2 * LOST_MS);
  const details = await second.client.getJob(jobId);
  expect(details).toMatchObject({ status: 'success' });
  expect(details?.result).toBeLessThan(2 * LOST_MS + 10);
});

test('the first sleeper of several wakes first, and is the first again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 30 });
  const log: number[] = [];
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const nap = async (ms: number): Promise<void> => {
        await sleep(ms);
        log.push(ms);
      };
      await Promise.all([nap(300), nap(20), nap(100)]);
      if (++calls === 1) throw new Error('once');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.status()).toBe('success');
  expect(log.slice(-3)).toEqual([20, 100, 300]);
});
