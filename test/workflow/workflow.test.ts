import { expect, test } from 'vitest';
import { JobFailedError, StepFailedError, sleep, step, version } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';

const FAST = { initialDelayMs: 1, maxDelayMs: 1, jitter: 0 };

test('a child that succeeded is not run again when its parent is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const log: string[] = [];
  const child = client.durable('child', async (n: number) => {
    log.push(`child ${n}`);
    return n * 2;
  });
  const parent = client.durable(
    'parent',
    async () => {
      const first = await (await child(1)).result();
      log.push('between');
      if (log.filter((entry) => entry === 'between').length === 1) throw new Error('once');
      return first + (await (await child(2)).result());
    },
    FAST,
  );
  const handle = await parent();
  const result = handle.result();
  await runtime.advance(1000);
  expect(await result).toBe(6);
  expect(log).toEqual(['child 1', 'between', 'between', 'child 2']);
  const { jobs } = await client.listJobs({ parentId: handle.jobId });
  expect(jobs.map(({ parentId }) => parentId)).toEqual([handle.jobId, handle.jobId]);
});

test('a step runs once, and its result is what later runs get', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const value = await step('random', () => ({ value: ++runs }));
      calls++;
      if (calls < 3) throw new Error('again');
      return value;
    },
    FAST,
  );
  const result = (await parent()).result();
  await runtime.advance(1000);
  expect(await result).toEqual({ value: 1 });
  expect([runs, calls]).toEqual([1, 3]);
});

test('a sleep suspends its job and goes on when the time is there', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable('parent', async () => {
    runs++;
    const begun = await step('begin', () => runtime.now());
    await sleep('20 minutes');
    return runtime.now() - begun;
  });
  const handle = await parent();
  await runtime.advance(1000);
  const details = await handle.details();
  expect(details).toMatchObject({ status: 'pending', isSuspended: true, attempt: 0 });
  expect(storage).toBeDefined();
  const result = handle.result();
  await runtime.advance(20 * 60_000);
  expect(await result).toBeGreaterThanOrEqual(20 * 60_000);
  expect(runs).toBe(2);
});

test('a child that ended dead is called anew when its parent is tried again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let childRuns = 0;
  const child = client.durable(
    'child',
    async () => {
      if (++childRuns < 2) throw new Error('child');
      return 'ok';
    },
    { maxAttempts: 1 },
  );
  const parent = client.durable('parent', async () => (await child()).result(), FAST);
  const result = (await parent()).result();
  await runtime.advance(1000);
  expect(await result).toBe('ok');
  expect(childRuns).toBe(2);
});

test('a failure that the handler went on from stands', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let charges = 0;
  const charge = client.durable(
    'charge',
    async () => {
      charges++;
      throw new Error('declined');
    },
    { maxAttempts: 1 },
  );
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      try {
        await (await charge()).result();
      } catch (error) {
        expect(error).toBeInstanceOf(JobFailedError);
        await step('refund', () => 'refunded');
      }
      if (++calls === 1) throw new Error('once');
      return calls;
    },
    FAST,
  );
  const result = (await parent()).result();
  await runtime.advance(1000);
  expect(await result).toBe(2);
  expect(charges).toBe(1);
});

test('a step is tried as its options say, and fails with what it threw', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let tries = 0;
  const parent = client.durable(
    'parent',
    async () => {
      try {
        return await step(
          'flaky',
          ({ attempt }) => {
            tries = attempt;
            throw new TypeError('no');
          },
          { maxAttempts: 4, initialDelayMs: 1000 },
        );
      } catch (error) {
        expect(error).toBeInstanceOf(StepFailedError);
        return (error as StepFailedError).errorName;
      }
    },
    { timeoutMs: 500 },
  );
  const result = (await parent()).result();
  await runtime.advance(20_000);
  expect(await result).toBe('TypeError');
  expect(tries).toBe(4);
});

test('a handler that asks for something else ends its job dead', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      calls++;
      await step(calls === 1 ? 'first' : 'other', () => 1);
      throw new Error('again');
    },
    FAST,
  );
  const result = (await parent()).result();
  const failed = expect(result).rejects.toMatchObject({
    errorName: 'NondeterminismError',
    errorMessage: expect.stringMatching(/"first".*"other"/),
  });
  await runtime.advance(1000);
  await failed;
  expect(calls).toBe(2);
});

test('version() lets code change under jobs that are under way', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
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
    await sleep('10 minutes');
    return step('c', () => 3);
  });
  const old = await parent();
  await runtime.advance(100);
  isChanged = true;
  const fresh = await parent();
  const results = Promise.all([old.result(), fresh.result()]);
  await runtime.advance(20 * 60_000);
  expect(await results).toEqual([3, 3]);
  expect(seen.sort()).toEqual([0, 1, 1]);
});

test('branches that go on in any order ask for the same again', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', async (n: number) => {
    await new Promise<void>((resolve) => runtime.setTimer((10 - n) * 10, resolve));
    return n;
  });
  let calls = 0;
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
      if (++calls < 3) throw new Error('again');
      return labels;
    },
    FAST,
  );
  const result = (await parent()).result();
  await runtime.advance(5000);
  expect(await result).toEqual(['label 1', 'label 2', 'label 3', 'label 4']);
});

test('a job that waits for its ancestor ends dead', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable('parent', async () => (await child()).result(), { maxAttempts: 1 });
  const child = client.durable(
    'child',
    async (): Promise<unknown> => (await parent({ idempotencyKey: 'one' })).result(),
  );
  const handle = await parent({ idempotencyKey: 'one' });
  const failed = expect(handle.result()).rejects.toMatchObject({ errorName: 'JobFailedError' });
  await runtime.advance(30_000);
  await failed;
});
