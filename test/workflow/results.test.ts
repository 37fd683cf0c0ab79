import { expect, test } from 'vitest';
import { ResultTimeoutError, sleep, step } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, ONCE, work } from './workflow-fixture.ts';

test.each([10, 10_000])(
  'a wait with a time-out ends with it, suspended after %i ms or not, and again in a replay',
  async (suspendAfterMs) => {
    const { runtime, startClient } = createFixture();
    const client = await startClient({ suspendAfterMs });
    const child = client.durable('child', async () => {
      await work(runtime, 500);
      return 'late';
    });
    const seen: unknown[] = [];
    let runs = 0;
    const parent = client.durable(
      'parent',
      async () => {
        const handle = await child();
        await handle.result(200).catch((error: unknown) => seen.push(error));
        const result = await handle.result();
        await step('record', () => {});
        if (++runs === 1) throw new Error('once');
        return result;
      },
      FAST,
    );
    const handle = await parent();
    await runtime.advance(2000);
    expect(await handle.details()).toMatchObject({ status: 'success', result: 'late' });
    for (const error of seen) {
      expect(error).toBeInstanceOf(ResultTimeoutError);
      expect(error).toMatchObject({ timeoutMs: 200, jobId: expect.any(String) });
    }
    expect(seen.length).toBeGreaterThanOrEqual(2);
  },
);

test('a job that has finished is there at once, whatever the time-out', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => 'done');
  const parent = client.durable('parent', async () => {
    const handle = await child();
    await sleep(50);
    return [await handle.result(0), await handle.result(10), await handle.result()];
  });
  const handle = await parent();
  await runtime.advance(200);
  expect(await handle.details()).toMatchObject({ status: 'success', result: ['done', 'done', 'done'] });
});

test('a handler can wait for any job, and be told that there is none', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const other = client.durable('other', async () => {
    await work(runtime, 100);
    return 'other';
  });
  const caught: unknown[] = [];
  let runs = 0;
  const parent = client.durable(
    'parent',
    async (jobId: string) => {
      const missing = client.getHandle('019b76da-a800-7000-8000-000000000000');
      await missing.result().catch((error: unknown) => caught.push(error));
      const result = await client.getHandle(jobId).result();
      await step('record', () => {});
      if (++runs === 1) throw new Error('once');
      return result;
    },
    FAST,
  );
  const { jobId } = await other();
  const handle = await parent(jobId);
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'other' });
  expect(caught.length).toBeGreaterThanOrEqual(2);
  for (const error of caught) expect(error).toMatchObject(withCode('job_not_found'));
});

test('a child that was cancelled is told as such', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => {});
  const caught: unknown[] = [];
  const parent = client.durable('parent', async () => {
    const handle = await child({ delayMs: 100 });
    await handle.cancel();
    await handle.result().catch((error: unknown) => caught.push(error));
  });
  await parent();
  await runtime.advance(100);
  expect(caught).toMatchObject([withCode('job_cancelled')]);
});

test.each([-1, Number.NaN, '5', 4e12])('result(%j) in a handler is refused', async (timeoutMs) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => {});
  const caught: unknown[] = [];
  const parent = client.durable('parent', async () => {
    const handle = await child();
    await handle.result(timeoutMs as number).catch((error: unknown) => caught.push(error));
  });
  await parent();
  await runtime.advance(100);
  expect(caught).toMatchObject([withCode('invalid_argument')]);
});

test('a job that waits for its ancestor ends dead, and all that wait for it hear of it', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 50 });
  const parent = client.durable('parent', async () => (await child()).result(), ONCE);
  const child = client.durable('child', async () => (await grandchild()).result(), ONCE);
  const grandchild = client.durable(
    'grandchild',
    async (): Promise<unknown> => (await parent({ idempotencyKey: 'one' })).result(),
    ONCE,
  );
  const handle = await parent({ idempotencyKey: 'one' });
  await runtime.advance(1000);
  const { jobs } = await client.listJobs({});
  expect(jobs.map(({ status }) => status)).toEqual(['dead', 'dead', 'dead']);
  const names = jobs.map(({ error }) => error?.name).sort();
  expect(names).toEqual(['JobFailedError', 'JobFailedError', 'WaitCycleError']);
  expect(await handle.status()).toBe('dead');
});

test('a job that waits for itself ends dead', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 0 });
  const parent = client.durable(
    'parent',
    async (): Promise<unknown> => (await parent({ idempotencyKey: 'one' })).result(),
    ONCE,
  );
  const handle = await parent({ idempotencyKey: 'one' });
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'WaitCycleError' } });
});

test('a circle of waiting that time can break is none', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const parent = client.durable('parent', async () => (await child()).result(), ONCE);
  const child = client.durable('child', async (): Promise<unknown> => {
    const handle = await parent({ idempotencyKey: 'one' });
    return handle.result(300).catch(() => 'went on');
  });
  const handle = await parent({ idempotencyKey: 'one' });
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'went on' });
});
