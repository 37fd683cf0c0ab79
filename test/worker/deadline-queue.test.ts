import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { type Deadlined, DeadlineQueue } from '../../src/worker/deadline-queue.ts';

interface Item extends Deadlined {
  readonly id: number;
}

test('tells of each item at its deadline, unless it was removed, whatever the order of adding and removing', async () => {
  const steps = fc.array(
    fc.record({ afterMs: fc.nat(30), deadlineMs: fc.nat(100), removed: fc.option(fc.nat(50), { nil: null }) }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const runtime = new DrivenRuntime({ startAt: 1000 });
      const expired: [number, number][] = [];
      const queue = new DeadlineQueue<Item>(runtime, ({ id }) => expired.push([id, runtime.now()]));
      const waiting = new Map<number, Item>();
      const expected: [number, number][] = [];
      const expire = (): void => {
        for (const [id, item] of waiting) {
          if (item.deadline > runtime.now()) continue;
          waiting.delete(id);
          expected.push([id, item.deadline]);
        }
      };
      for (const [id, { afterMs, deadlineMs, removed }] of script.entries()) {
        const item: Item = { id, deadline: runtime.now() + 1 + deadlineMs, queueIndex: -1 };
        queue.add(item);
        waiting.set(id, item);
        const victim = removed === null ? undefined : waiting.get(removed);
        if (victim !== undefined) {
          queue.remove(victim);
          queue.remove(victim);
          waiting.delete(victim.id);
        }
        await runtime.advance(afterMs);
        expire();
      }
      await runtime.advance(200);
      expire();
      expect(expired.toSorted(byIdentity)).toEqual(expected.toSorted(byIdentity));
      expect(expired.map(([, at]) => at)).toEqual(expired.map(([, at]) => at).toSorted((a, b) => a - b));
      expect(runtime.pendingTimers).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('keeps one timer for many items, and none once it is cleared or empty', () => {
  const runtime = new DrivenRuntime();
  const queue = new DeadlineQueue<Item>(runtime, () => {});
  const items = [30, 10, 20].map((ms, id): Item => ({ id, deadline: runtime.now() + ms, queueIndex: -1 }));
  for (const item of items) queue.add(item);
  expect(runtime.pendingTimers).toBe(1);
  for (const item of items) queue.remove(item);
  queue.disarmIfEmpty();
  expect(runtime.pendingTimers).toBe(0);
  for (const item of items) queue.add(item);
  queue.clear();
  expect(runtime.pendingTimers).toBe(0);
  expect(items.every(({ queueIndex }) => queueIndex === -1)).toBe(true);
});

function byIdentity([a]: [number, number], [b]: [number, number]): number {
  return a - b;
}
