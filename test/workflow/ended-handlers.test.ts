import { expect, test } from 'vitest';
import { sleep, step, version, waitForSignal } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, ONCE, work } from './workflow-fixture.ts';

test('calls that a handler does not await before it returns still happen', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const runs: number[] = [];
  const child = client.durable('child', (n: number) => {
    runs.push(n);
  });
  const parent = client.durable('parent', async () => {
    for (const n of [1, 2, 3]) void child(n);
    return 'returned';
  });
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'returned' });
  expect(runs).toEqual([1, 2, 3]);
  expect(await client.listJobs({ parentId: handle.jobId })).toMatchObject({ total: 3 });
});

test('what a handler calls after it has returned is no child of its job', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => {});
  const parent = client.durable('parent', async () => {
    void work(runtime, 100).then(() => child());
  });
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.status()).toBe('success');
  const { jobs } = await client.listJobs({ names: ['child'] });
  expect(jobs.map(({ parentId }) => parentId)).toEqual([null]);
});

test('a handler that has timed out can neither call nor run steps nor wait', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const child = client.durable('child', () => {});
  const caught: unknown[] = [];
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      await work(runtime, 100);
      const late = [child(), step('late', () => runs++), sleep(1), waitForSignal('late'), child.enqueueMany([[], []])];
      const outcomes = await Promise.allSettled(late);
      for (const outcome of outcomes) caught.push(outcome.status === 'rejected' ? outcome.reason : null);
    },
    { ...ONCE, timeoutMs: 50 },
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.status()).toBe('dead');
  expect(caught).toMatchObject(Array.from({ length: 5 }, () => withCode('attempt_timeout')));
  expect(runs).toBe(0);
  expect(await client.listJobs({})).toMatchObject({ total: 1 });
});

test('a handler that has lost its lease can neither call nor run steps', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 300 });
  const child = client.durable('child', () => {});
  const caught: unknown[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      await work(runtime, 1000);
      for (const late of [child(), step('late', () => {})]) caught.push(await late.catch((error: unknown) => error));
    },
    ONCE,
  );
  await parent();
  storage.fail('extendLeases', new Error('cut'));
  await runtime.advance(1100);
  storage.heal('extendLeases');
  expect(caught).toMatchObject([withCode('lease_lost'), withCode('lease_lost')]);
  expect(await client.listJobs({})).toMatchObject({ total: 1 });
});

test('all that is asked for beside what does not fit rejects', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const outcomes: PromiseSettledResult<unknown>[] = [];
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      await work(runtime, 1);
      const name = ++calls === 1 ? 'a' : 'other';
      const asked = [step(name, () => 1), step('b', () => 2), sleep(1)];
      if (calls === 2) outcomes.push(...(await Promise.allSettled(asked)));
      await Promise.all(asked);
      throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'NondeterminismError' } });
  expect(outcomes).toMatchObject(
    Array.from({ length: 3 }, () => ({ status: 'rejected', reason: withCode('nondeterminism') })),
  );
});

test('waits that nobody looks at yet are no unhandled rejections when the lease is lost', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 300, suspendAfterMs: 10_000 });
  const child = client.durable('child', () => waitForSignal('never'));
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  const parent = client.durable(
    'parent',
    async () => {
      const handle = await child();
      const later = [handle.result(), sleep(5000), waitForSignal('later')];
      const running = step('long', () => work(runtime, 2000));
      await waitForSignal('first');
      return Promise.all([...later, running, child(), version('x', 1)]);
    },
    ONCE,
  );
  await parent();
  await runtime.advance(100);
  storage.fail('extendLeases', new Error('cut'));
  await runtime.advance(3000);
  storage.heal('extendLeases');
  process.removeAllListeners('unhandledRejection');
  for (const other of others) process.on('unhandledRejection', other);
  expect(unhandled).toEqual([]);
});

test('what is left of a handler that failed calls nothing and waits for nothing: that is for the next attempt', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const runs: number[] = [];
  const caught: unknown[] = [];
  const child = client.durable('child', (attempt: number) => {
    runs.push(attempt);
  });
  let attempts = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const attempt = ++attempts;
      const branch = async (): Promise<void> => {
        await work(runtime, 20);
        const handle = await child(attempt);
        await handle.result();
      };
      const noted = branch().catch((error: unknown) => caught.push(error));
      if (attempt === 1) throw new Error('once');
      await noted;
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(runs).toEqual([2]);
  expect(caught).toMatchObject([withCode('no_current_job')]);
});
