import { expect, test } from 'vitest';
import { ReseolioError, sleep, step, waitForSignal } from '../../src/index.ts';
import { type ClientFixture, createFixture, createGate } from '../client/client-fixture.ts';
import type { StorageMethod } from '../client/faulty-storage.ts';
import { FAST, ONCE } from './workflow-fixture.ts';

/** A workflow that has something of everything, and what of it happened. */
async function startWorkflow({ startClient }: ClientFixture, suspendAfterMs: number) {
  const client = await startClient({ suspendAfterMs });
  const log: string[] = [];
  const run = async (name: string): Promise<string> => {
    log.push(`child ${name}`);
    return name;
  };
  const child = client.durable('child', run);
  let throws = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const first = await (await child('a')).result();
      const second = await step('step', () => {
        log.push('step');
        return 'b';
      });
      await sleep(20);
      const results = await Promise.all(['c', 'd'].map(async (name) => (await child(name)).result()));
      const signal = await waitForSignal<string>('go');
      await step('last', () => void log.push('last'));
      if (++throws === 1) throw new Error('once');
      return [first, second, ...results, signal];
    },
    FAST,
  );
  const handle = await parent();
  await handle.signal('go', 'e');
  return { handle, log };
}

const DONE = ['child a', 'step', 'child c', 'child d', 'last'];

const METHODS = ['recordSteps', 'getSteps', 'settle', 'getSignals', 'getJobs', 'listJobs', 'claim'] as const;
const CASES = METHODS.flatMap((method) =>
  [false, true].flatMap((isAfterEffect) =>
    [0, 10_000].map((suspendAfterMs) => ({ method, isAfterEffect, suspendAfterMs })),
  ),
).filter(({ method, isAfterEffect }) => method !== 'claim' || !isAfterEffect);

test.each(CASES)(
  'nothing is doubled where every other call of $method fails (after its effect: $isAfterEffect), suspending after $suspendAfterMs ms',
  async ({ method, isAfterEffect, suspendAfterMs }) => {
    const fixture = createFixture();
    const { runtime } = fixture;
    const heal = failEveryOther(fixture, method, isAfterEffect);
    const { handle, log } = await startWorkflow(fixture, suspendAfterMs);
    await runtime.advance(120_000);
    heal();
    expect(await handle.details()).toMatchObject({ status: 'success', result: ['a', 'b', 'c', 'd', 'e'] });
    expect(log).toEqual(DONE);
  },
);

function failEveryOther({ storage }: ClientFixture, method: StorageMethod, isAfterEffect: boolean): () => void {
  const call = storage[method] as (params: unknown) => Promise<unknown>;
  let calls = 0;
  Object.assign(storage, {
    [method]: async (params: unknown) => {
      const isFailing = ++calls % 2 === 1;
      const error = new ReseolioError('storage_unavailable', 'cut');
      if (isFailing && !isAfterEffect) throw error;
      const answer = await call(params);
      if (isFailing) throw error;
      return answer;
    },
  });
  return () => Object.assign(storage, { [method]: call });
}

test('a step is not run before what its handler was told is stored', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient();
  const log: string[] = [];
  const parent = client.durable('parent', async () => {
    const signal = await waitForSignal('go');
    log.push('told');
    await step('act', () => log.push(`acted on ${String(signal)}`));
  });
  const handle = await parent();
  await handle.signal('go', 5);
  storage.fail('recordSteps', new Error('cut'));
  await runtime.advance(5000);
  expect(log).toEqual(['told']);
  storage.heal('recordSteps');
  await runtime.advance(10_000);
  expect(log).toEqual(['told', 'acted on 5']);
  expect(await handle.status()).toBe('success');
});

test('an attempt that times out while the storage is away is tried again, with what was stored', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const gate = createGate();
  const parent = client.durable(
    'parent',
    async () => {
      await step('first', () => ++runs);
      await step('second', () => ++runs);
      return runs;
    },
    { ...FAST, timeoutMs: 500 },
  );
  const handle = await parent();
  storage.hold('recordSteps', gate.opened);
  await runtime.advance(600);
  expect(await handle.details()).toMatchObject({ attempt: 2, error: { name: 'AttemptTimeoutError' } });
  // What was under way is fenced off when it gets there.
  storage.heal('recordSteps');
  gate.open();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2, result: 3 });
});

test('a workflow whose storage fails for good ends in this process, and goes on in another', async () => {
  const { runtime, storage, startClient } = createFixture();
  const first = await startClient({ leaseMs: 300 });
  let runs = 0;
  const run = async (): Promise<number> => {
    await step('first', () => ++runs);
    await waitForSignal('go');
    return step('second', () => ++runs);
  };
  const handle = await first.durable('parent', run)();
  await runtime.advance(100);
  storage.hint({ kind: 'failed', error: new ReseolioError('storage_failed', 'gone') });
  await runtime.advance(1000);
  const second = await startClient({ leaseMs: 300 });
  second.durable('parent', run);
  await second.getHandle(handle.jobId).signal('go');
  await runtime.advance(2000);
  expect(await second.getJob(handle.jobId)).toMatchObject({ status: 'success', result: 2 });
});

test('what a job may remember is bounded', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ maxPayloadBytes: 16_000_000 });
  const parent = client.durable(
    'parent',
    async () => {
      for (let i = 0; i < 10; i++) await step(`step ${i}`, () => new Uint8Array(15_000_000));
    },
    ONCE,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({
    status: 'dead',
    error: { name: 'ReseolioError', message: expect.stringMatching(/remembers .* let a child go on/) },
  });
});
