import { expect, test } from 'vitest';
import { step } from '../../src/index.ts';
import { type ClientFixture, createFixture, createGate } from '../client/client-fixture.ts';
import { FaultyStorage } from '../client/faulty-storage.ts';

const FAST = { initialDelayMs: 1, maxDelayMs: 1, jitter: 0 };
const ONCE = { maxAttempts: 1 };

/** A storage that one process alone is on, and that it can be cut off from for good: to others, it has died. */
function createMortalStorage({ storage }: ClientFixture): { own: FaultyStorage; die: () => void; bury: () => void } {
  const own = new FaultyStorage(storage);
  const end = createGate();
  const methods = ['claim', 'extendLeases', 'settle', 'recordSteps', 'reclaimExpired'] as const;
  return {
    own,
    die: () => {
      for (const method of methods) own.hold(method, end.opened);
    },
    bury: end.open,
  };
}

test.each([
  ['', undefined],
  [' with a time-out', 3_600_000],
])('a child that is called anew, and waited for%s, may take long', async (_title, timeoutMs) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const gate = createGate();
  let childRuns = 0;
  const child = client.durable(
    'child',
    async () => {
      if (++childRuns === 1) throw new Error('child');
      await gate.opened;
      return 'ok';
    },
    ONCE,
  );
  const pause = (): Promise<void> => new Promise((resolve) => runtime.setTimer(100, resolve));
  const parent = client.durable(
    'parent',
    async () => {
      // The step outlives the child, and the failure is stored with its result.
      const [childResult] = await Promise.allSettled([(await child()).result(timeoutMs), step('pause', pause)]);
      if (childResult.status === 'rejected') throw childResult.reason;
      return childResult.value;
    },
    FAST,
  );
  const handle = await parent();
  const result = handle.result();
  await runtime.advance(10_000);
  expect(await handle.details()).toMatchObject({ status: 'pending', isSuspended: true });
  gate.open();
  await runtime.advance(1000);
  expect(await result).toBe('ok');
  expect(childRuns).toBe(2);
});

test('a failure that a step was begun for stands, though the process dies in the step', async () => {
  const fixture = createFixture();
  const { runtime, startClient } = fixture;
  const mortal = createMortalStorage(fixture);
  const gate = createGate();
  const log: string[] = [];
  const startNode = async (storage: FaultyStorage, name: string): Promise<() => Promise<unknown>> => {
    const client = await startClient({ storage });
    const charge = client.durable(
      'charge',
      async () => {
        log.push('charge');
        throw new Error('declined');
      },
      ONCE,
    );
    const parent = client.durable('parent', async () => {
      await (await charge()).result().catch(() => {});
      return step('refund', async () => {
        log.push(`refund by ${name}`);
        if (name === 'first') await gate.opened;
        return 'refunded';
      });
    });
    return async () => (await parent()).result();
  };
  const call = await startNode(mortal.own, 'first');
  const first = call();
  await runtime.advance(100);
  mortal.die();
  await startNode(fixture.storage, 'second');
  await runtime.advance(60_000);
  expect(log).toEqual(['charge', 'refund by first', 'refund by second']);
  mortal.bury();
  gate.open();
  await runtime.advance(60_000);
  expect(await first).toBe('refunded');
});

test('a step that failed is tried again however often the process dies meanwhile', async () => {
  const fixture = createFixture();
  const { runtime, startClient } = fixture;
  const [first, second] = [createMortalStorage(fixture), createMortalStorage(fixture)];
  const childGate = createGate();
  const stepGate = createGate();
  const log: string[] = [];
  const pause = (): Promise<void> => new Promise((resolve) => runtime.setTimer(100, resolve));
  const tryFlaky = async (name: string): Promise<string> => {
    log.push(`flaky by ${name}`);
    if (name === 'first') throw new Error('the first time');
    if (name === 'second') await stepGate.opened;
    return 'done';
  };
  const startNode = async (storage: FaultyStorage, name: string): Promise<() => Promise<unknown>> => {
    const client = await startClient({ storage });
    const child = client.durable('child', () => childGate.opened);
    const parent = client.durable('parent', async () => {
      const goOn = async (): Promise<void> => {
        await (await child()).result();
        await step('after the child', () => 'done');
      };
      const [flaky] = await Promise.allSettled([
        step('flaky', () => tryFlaky(name), ONCE),
        step('pause', pause),
        goOn(),
      ]);
      if (flaky.status === 'rejected') throw flaky.reason;
      return flaky.value;
    });
    return async () => (await parent()).result();
  };
  const call = await startNode(first.own, 'first');
  const result = call();
  await runtime.advance(1000);
  first.die();
  await startNode(second.own, 'second');
  await runtime.advance(25_000);
  expect(log).toEqual(['flaky by first', 'flaky by second']);
  childGate.open();
  await runtime.advance(100);
  second.die();
  await startNode(fixture.storage, 'third');
  await runtime.advance(25_000);
  expect(log).toEqual(['flaky by first', 'flaky by second', 'flaky by third']);
  first.bury();
  second.bury();
  stepGate.open();
  await runtime.advance(60_000);
  expect(await result).toBe('done');
});
