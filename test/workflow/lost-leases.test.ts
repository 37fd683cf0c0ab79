import { expect, test } from 'vitest';
import { currentJob, type Reseolio, sleep, step, waitForSignal } from '../../src/index.ts';
import { type ClientFixture, createFixture } from '../client/client-fixture.ts';
import { FAST, LOST_MS, ONCE, startProcess, work } from './workflow-fixture.ts';

type Handler = (name: string) => Promise<unknown>;

/** Two processes that run the same handler; the first begins, and then its heartbeats do not get through. */
async function runAfterLoss(fixture: ClientFixture, handler: Handler, untilMs: number) {
  const { runtime, storage, startClient } = fixture;
  const start = async (name: string): Promise<Reseolio> => {
    const own = name === 'first' ? { workerConcurrency: 1 } : {};
    const client = await startClient({ leaseMs: 300, suspendAfterMs: 60_000, ...own });
    client.durable('parent', () => handler(name), FAST);
    return client;
  };
  const first = await start('first');
  const handle = await first.remote('parent').callWithOptions([], FAST);
  await runtime.advance(untilMs);
  storage.fail('extendLeases', new Error('cut'));
  await runtime.advance(500);
  storage.heal('extendLeases');
  await start('second');
  return { handle, first };
}

test('a job whose lease was lost while it waited goes on elsewhere, and its handler is told', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const caught: unknown[] = [];
  let runs = 0;
  const { handle, first } = await runAfterLoss(
    fixture,
    async (name) => {
      await step('once', () => ++runs);
      try {
        return [name, await waitForSignal('go')];
      } catch (error) {
        caught.push([name, (error as { code?: string }).code]);
        throw error;
      }
    },
    100,
  );
  await runtime.advance(1000);
  await handle.signal('go', 5);
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2, result: [expect.any(String), 5] });
  expect(caught).toEqual([['first', 'lease_lost']]);
  expect(runs).toBe(1);
  // Its slot is free again.
  const other = first.durable('other', async () => 'ran');
  const ran = await other();
  await runtime.advance(100);
  expect(await ran.status()).toBe('success');
});

test('a handler whose lease was lost records nothing more and runs no more steps', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const log: string[] = [];
  const { handle } = await runAfterLoss(
    fixture,
    async (name) => {
      await step('slow', async () => {
        log.push(`slow by ${name}`);
        await work(runtime, 700);
      });
      await step('after', () => log.push(`after by ${name}`));
    },
    100,
  );
  await runtime.advance(3000);
  expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2 });
  expect(log.filter((entry) => entry.startsWith('after'))).toHaveLength(1);
  expect(log.filter((entry) => entry.startsWith('slow'))).toHaveLength(2);
});

test.each(['running', 'waiting', 'sleeping'])(
  'a job whose process dies while it is %s goes on elsewhere',
  async (what) => {
    const fixture = createFixture();
    const { runtime } = fixture;
    const log: string[] = [];
    const start = async (name: string) => {
      const process = await startProcess(fixture, { suspendAfterMs: 60_000 });
      const child = process.client.durable('child', () => {
        log.push('child');
      });
      const parent = process.client.durable('parent', async () => {
        const handle = await child({ delayMs: what === 'waiting' ? 2 * LOST_MS : 0 });
        await step('before', () => log.push('before'));
        if (what === 'running') await work(runtime, name === 'first' ? 10_000 : 10);
        if (what === 'sleeping') await sleep(2 * LOST_MS);
        await handle.result();
        await step('after', () => log.push('after'));
        return currentJob().attempt;
      });
      return { ...process, parent };
    };
    const first = await start('first');
    const { jobId } = await first.parent();
    await runtime.advance(100);
    first.kill();
    const second = await start('second');
    await runtime.advance(4 * LOST_MS);
    expect(await second.client.getJob(jobId)).toMatchObject({ status: 'success', result: 2 });
    expect(log.sort()).toEqual(['after', 'before', 'child']);
    await runtime.advance(10_000);
  },
);

test('what a handler can know of its job stays the same from one run to the next', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ suspendAfterMs: 10 });
  const seen: unknown[] = [];
  const child = client.durable(
    'child',
    async () => {
      const { id, name, attempt, parentId, occurrence } = currentJob();
      seen.push({ id, name, attempt, parentId, occurrence });
      await sleep(50);
      return id;
    },
    ONCE,
  );
  const parent = client.durable('parent', async () => {
    const handle = await child();
    return [currentJob().id, handle.jobId, await handle.result()];
  });
  const handle = await parent();
  await runtime.advance(500);
  const { result } = await handle.details();
  const [parentId, childId, returned] = result as string[];
  expect([parentId, returned]).toEqual([handle.jobId, childId]);
  const expected = { id: childId, name: 'child', attempt: 1, parentId, occurrence: null };
  expect(seen).toEqual([expected, expected]);
});

test('a handler that ended while what it remembers could not be read, and whose lease was lost, leaves its slot', async () => {
  const fixture = createFixture();
  const { runtime, storage } = fixture;
  let runs = 0;
  const { handle, first } = await runAfterLoss(
    fixture,
    async (name) => {
      const isEarly = ++runs === 2;
      const done = step('a', () => {});
      if (isEarly) return void done.catch(() => {});
      await done;
      if (runs > 1) return name;
      storage.fail('getSteps', new Error('cut'));
      throw new Error('again');
    },
    100,
  );
  storage.heal('getSteps');
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: expect.any(String) });
  const other = first.durable('other', async () => 'ran');
  const ran = await other();
  await runtime.advance(100);
  expect(await ran.status()).toBe('success');
});
