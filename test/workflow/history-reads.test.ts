import { expect, test } from 'vitest';
import type { GetStepsParams } from '../../src/core/step-operations.ts';
import type { Storage } from '../../src/core/storage.ts';
import { step } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { FAST } from './workflow-fixture.ts';

type Read = Storage['getSteps'];

/** What becomes of the first reads. */
const FAULTS: Record<string, (read: Read, params: GetStepsParams) => ReturnType<Read>> = {
  fail: () => Promise.reject(new Error('cut')),
  'find nothing': () => Promise.resolve([]),
  'find one step': (read, params) => read({ ...params, limit: 1 }),
  'find nothing beyond the first step': (read, params) =>
    params.from === 0 ? read({ ...params, limit: 1 }) : Promise.resolve([]),
};

test.each(Object.keys(FAULTS))('steps are not run again though reads of what is remembered %s', async (fault) => {
  const { runtime, storage, startClient } = createFixture();
  let faults = 0;
  const faulty = new Proxy<Storage>(storage, {
    get: (target, key) => {
      if (key !== 'getSteps' || faults >= 5) return Reflect.get(target, key);
      return (params: GetStepsParams) => {
        faults++;
        return FAULTS[fault]?.(target.getSteps, params);
      };
    },
  });
  const client = await startClient({ storage: faulty });
  const log: string[] = [];
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await step(name, () => log.push(name));
      if (++runs === 1) throw new Error('once');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(60_000);
  expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2 });
  expect(log).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(faults).toBe(5);
});

test('a client that stops while what is remembered cannot be read leaves no timer behind', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ shutdownGraceMs: 0 });
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      runs++;
      await step('a', () => 1);
      throw new Error('again');
    },
    { ...FAST, initialDelayMs: 50, maxDelayMs: 50 },
  );
  await parent();
  await runtime.advance(10);
  storage.fail('getSteps', new Error('cut'));
  await runtime.advance(100);
  expect(runs).toBe(2);
  const stopped = client.stop();
  await runtime.advance(10);
  await stopped;
  expect(runtime.pendingTimers).toBe(0);
});
