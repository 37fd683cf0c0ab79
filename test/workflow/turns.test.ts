import { expect, test } from 'vitest';
import { step, version } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { FAST, work } from './workflow-fixture.ts';

test('a branch that waits for a tick between two requests is not overtaken in a replay', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const slow = async (): Promise<void> => {
        await step('slow 1', () => 1);
        await new Promise<void>((resolve) => process.nextTick(resolve));
        for (let i = 0; i < 100; i++) await Promise.resolve();
        await step('slow 2', () => work(runtime, 30));
      };
      const fast = async (): Promise<void> => {
        await step('fast 1', () => work(runtime, 10));
        await step('fast 2', () => 1);
      };
      await Promise.all([slow(), fast()]);
      if (++runs === 1) throw new Error('again');
      return 'done';
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'done' });
  expect(runs).toBe(2);
});

test('a long replay lets others have the event loop in between', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const turns: number[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      let isCounting = true;
      let count = 0;
      const countTurns = (): void => {
        count++;
        if (isCounting) setImmediate(countTurns);
      };
      countTurns();
      for (let i = 0; i < 1000; i++) await version(`v${i}`, 1);
      await step('record', () => 1);
      isCounting = false;
      turns.push(count);
      if (turns.length === 1) throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(turns).toHaveLength(2);
  expect(turns[1]).toBeGreaterThanOrEqual(10);
});
