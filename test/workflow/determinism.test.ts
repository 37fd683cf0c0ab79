import { expect, test } from 'vitest';
import { sleep, step, waitForSignal } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { FAST, work } from './workflow-fixture.ts';

type Ask = () => Promise<unknown>;

test.each<[string, Ask, Ask, RegExp]>([
  ['name of a step', () => step('a', () => 1), () => step('b', () => 1), /step "a".*step "b"/],
  ['kind of request', () => step('a', () => 1), () => sleep(1), /step "a".*sleep/],
  ['name of a signal', () => waitForSignal('a'), () => waitForSignal('b'), /signal "a".*signal "b"/],
])('another %s than is remembered ends the job, saying which', async (_title, first, second, message) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      await (++runs === 1 ? first() : second());
      await step('record', () => {});
      throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await handle.signal('a');
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({
    status: 'dead',
    error: { name: 'NondeterminismError', message: expect.stringMatching(message) },
  });
  expect(runs).toBe(2);
});

test('another function than is remembered to be called ends the job', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const a = client.durable('a', () => {});
  const b = client.durable('b', () => {});
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      await (++runs === 1 ? a() : b());
      throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ error: { message: expect.stringMatching(/call "a".*call "b"/) } });
  expect(await client.listJobs({ names: ['b'] })).toMatchObject({ total: 0 });
});

test('a handler that asks for less and returns succeeds', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      await step('a', () => {});
      if (++runs > 1) return 'less';
      await step('b', () => {});
      throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'less' });
});

test('a handler that waits for what is remembered later, and does not ask for what comes first, ends the job at its time-out', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const isFirst = ++runs === 1;
      const branch = async (): Promise<void> => {
        if (isFirst) await step('b', () => {});
        else await work(runtime, 10_000);
      };
      const slow = step('a', () => work(runtime, 10));
      await Promise.all([slow, branch()]);
      throw new Error('again');
    },
    { ...FAST, timeoutMs: 200 },
  );
  const handle = await parent();
  await runtime.advance(500);
  expect(await handle.details()).toMatchObject({
    status: 'dead',
    error: {
      name: 'NondeterminismError',
      message: expect.stringMatching(/step "b" as request 1 .* does not come to it/),
    },
  });
  await runtime.advance(20_000);
});

test('a handler that is merely slow in a replay times out, and is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const run = ++runs;
      await step('a', () => {});
      await work(runtime, run === 2 ? 1000 : 10);
      await step('b', () => {});
      if (run < 3) throw new Error('again');
      return run;
    },
    { ...FAST, timeoutMs: 200 },
  );
  const handle = await parent();
  await runtime.advance(500);
  expect(await handle.details()).toMatchObject({
    status: 'success',
    result: 3,
    history: [{ error: { message: 'again' } }, { error: { name: 'AttemptTimeoutError' } }],
  });
  await runtime.advance(1000);
});

test('branches that go on in any order ask for the same again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async (n: number) => {
    await work(runtime, (10 - n) * 10);
    return n;
  });
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const labels = await Promise.all(
        [1, 2, 3, 4].map(async (n) => {
          const value = await (await child(n)).result();
          const label = await step(`label ${value}`, () => `label ${value}`);
          await step(`ship ${value}`, () => value);
          return label;
        }),
      );
      if (++runs < 3) throw new Error('again');
      return labels;
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  const result = ['label 1', 'label 2', 'label 3', 'label 4'];
  expect(await handle.details()).toMatchObject({ status: 'success', result });
});

test('of a race the same one wins again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => work(runtime, 100));
  const winners: string[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      const handle = await child();
      const winner = await Promise.race([
        handle.result().then(() => 'child'),
        sleep(50).then(() => 'sleep'),
        step('long', () => work(runtime, 70)).then(() => 'step'),
      ]);
      winners.push(winner);
      await step(`after ${winner}`, () => work(runtime, 100));
      if (winners.length < 3) throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(2000);
  expect(await handle.status()).toBe('success');
  expect(winners).toEqual(['sleep', 'sleep', 'sleep']);
});

test('a job that ended by nondeterminism goes on where it was when it is retried with code that fits', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  let isBroken = false;
  let runs = 0;
  const parent = client.durable('parent', async () => {
    await step(isBroken ? 'broken' : 'a', () => ++runs);
    await sleep(100);
    return step('b', () => ++runs);
  });
  const handle = await parent();
  await runtime.advance(50);
  isBroken = true;
  await runtime.advance(100);
  expect(await handle.status()).toBe('dead');
  isBroken = false;
  expect(await client.retryJob(handle.jobId)).toBe(true);
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 2 });
});
