import { expect, test } from 'vitest';
import { step } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';
import { ONCE, work } from './workflow-fixture.ts';

test('a step that runs rejects when its job loses its lease, and not only when its function has ended', async () => {
  const { runtime, storage, startClient } = createFixture();
  const client = await startClient({ leaseMs: 300 });
  const log: unknown[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      const running = step('long', () => work(runtime, 5000).then(() => log.push('function has ended')));
      await running.catch((error: { code: string }) => log.push(error.code));
    },
    { ...ONCE, timeoutMs: 86_400_000 },
  );
  await parent();
  await runtime.advance(100);
  storage.fail('extendLeases', new Error('cut'));
  await runtime.advance(600);
  storage.heal('extendLeases');
  expect(log).toEqual(['lease_lost']);
  await runtime.advance(10_000);
  expect(log).toEqual(['lease_lost', 'function has ended']);
});
