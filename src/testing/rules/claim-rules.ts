import assert from 'node:assert/strict';
import { encodePayload } from '../../core/payload.ts';
import { comparableJob, comparablePayload, failed, RELEASED } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

export const claimRules: RuleGroup = {
  topic: 'claim',
  needs: null,
  rules: {
    'gives the whole job, running under the lease': async (t) => {
      const args = encodePayload(['x', { deep: [1, 2] }], 'args');
      const id = await t.enqueueOne({ args, idempotencyKey: 'k' });
      const before = await t.job(id);
      await t.advance(20);
      const { isResumed, ...job } = (await t.claimOne({ workerId: 'w-7', leaseMs: 4000.5 })).job;
      assert.equal(isResumed, false);
      assert.deepEqual(comparableJob(job), {
        ...before,
        state: 'running',
        attempt: 1,
        startedAt: t.now(),
        workerId: 'w-7',
        leaseExpiresAt: t.now() + 4000.5,
        args: comparablePayload(args),
      });
      assert.deepEqual(await t.job(id), comparableJob(job));
    },

    'gives each job once': async (t) => {
      const ids = await t.enqueue({}, {}, {});
      assert.deepEqual(await t.claimIds({ limit: 2 }), ids.slice(0, 2));
      assert.deepEqual(await t.claimIds(), ids.slice(2));
      assert.deepEqual(await t.claimIds(), []);
    },

    'orders by priority, then due time, then enqueue order': async (t) => {
      const now = t.now();
      const [d, b, a, f, c, e] = await t.enqueue(
        { priority: 0, runAt: now - 10 },
        { priority: 1, runAt: now - 5 },
        { priority: 100 },
        { priority: -100, runAt: 0 },
        { priority: 1, runAt: now - 5 },
        { priority: 0 },
      );
      assert.deepEqual(await t.claimIds(), [a, b, c, d, e, f]);
    },

    'orders every priority from 100 to -100': async (t) => {
      const priorities = Array.from({ length: 201 }, (_, i) => ((i * 77) % 201) - 100);
      await t.enqueue(...priorities.map((priority) => ({ priority })));
      const claimed = await t.claim({ limit: 1000 });
      assert.deepEqual(
        claimed.map(({ job }) => job.priority),
        Array.from({ length: 201 }, (_, i) => 100 - i),
      );
    },

    'keeps enqueue order within a batch and between batches': async (t) => {
      const ids: string[] = [];
      for (let i = 0; i < 10; i++) ids.push(...(await t.enqueue({}, {}, {})));
      assert.deepEqual(await t.claimIds(), ids);
    },

    'keeps enqueue order where ids sort otherwise': async (t) => {
      const ids = [t.nextId(), t.nextId(), t.nextId()].reverse();
      for (const id of ids) await t.enqueueOne({ id });
      assert.deepEqual(await t.claimIds(), ids);
    },

    'orders by due time to the fraction of a millisecond': async (t) => {
      const base = t.now() - 100;
      const [c, a, b] = await t.enqueue({ runAt: base + 0.75 }, { runAt: base }, { runAt: base + 0.5 });
      assert.deepEqual(await t.claimIds(), [a, b, c]);
    },

    'leaves a job alone until it is due': async (t) => {
      const id = await t.enqueueOne({ delayMs: 100 });
      assert.deepEqual(await t.claimIds(), []);
      await t.advance(99);
      assert.deepEqual(await t.claimIds(), []);
      await t.advance(1);
      assert.deepEqual(await t.claimIds(), [id]);
    },

    'does not let a delayed job of high priority hide a due one': async (t) => {
      const [, due] = await t.enqueue({ priority: 100, delayMs: 1000 }, { priority: -100 });
      assert.deepEqual(await t.claimIds(), [due]);
    },

    'orders delayed jobs that have become due like all others': async (t) => {
      const [low, high] = await t.enqueue({ priority: 1, delayMs: 10 }, { priority: 2, delayMs: 50 });
      const now = await t.enqueueOne({ priority: 1 });
      await t.advance(100);
      const late = await t.enqueueOne({ priority: 1, runAt: 0 });
      assert.deepEqual(await t.claimIds(), [high, late, now, low]);
    },

    'takes only the names that are asked for, whole': async (t) => {
      const names = ['task', 'task2', 'tas', 'task:sub', 'task/', 'Task', 'task.', 'task-'];
      const ids = await t.enqueue(...names.map((name) => ({ name })));
      assert.deepEqual(await t.claimIds({ names: ['task'] }), [ids[0]]);
      assert.deepEqual(await t.claimIds({ names: ['unknown'] }), []);
      assert.deepEqual(await t.claimIds({ names: ['Task', 'tas'] }), [ids[5], ids[2]]);
    },

    'takes nothing for no names': async (t) => {
      await t.enqueueOne();
      const { jobs, nextDueInMs } = await t.storage.claim(t.claimParams({ names: [] }));
      assert.deepEqual([jobs, nextDueInMs], [[], null]);
    },

    'deals the limit out one job a name a turn': async (t) => {
      const drafts = ['a', 'b', 'c'].flatMap((name) => Array.from({ length: 5 }, () => ({ name })));
      await t.enqueue(...drafts);
      const claimed = await t.claim({ names: ['b', 'a', 'c'], limit: 7 });
      assert.deepEqual(
        claimed.map(({ job }) => job.name),
        ['b', 'a', 'c', 'b', 'a', 'c', 'b'],
      );
    },

    'gives the turns of a name with nothing due to the others': async (t) => {
      await t.enqueue({ name: 'a' }, { name: 'b' }, { name: 'b' }, { name: 'b' }, { name: 'c', delayMs: 1 });
      const claimed = await t.claim({ names: ['c', 'a', 'b'], limit: 10 });
      assert.deepEqual(
        claimed.map(({ job }) => job.name),
        ['a', 'b', 'b', 'b'],
      );
    },

    'does not let the priorities of one name starve another': async (t) => {
      await t.enqueue(...Array.from({ length: 20 }, () => ({ name: 'loud', priority: 100 })), {
        name: 'quiet',
        priority: -100,
      });
      const claimed = await t.claim({ names: ['loud', 'quiet'], limit: 2 });
      assert.deepEqual(
        claimed.map(({ job }) => job.name),
        ['loud', 'quiet'],
      );
    },

    'begins with the first names when there are more names than the limit': async (t) => {
      const names = Array.from({ length: 300 }, (_, i) => `name-${i}`);
      await t.enqueue(...names.map((name) => ({ name })));
      const claimed = await t.claim({ names: [...names].reverse(), limit: 100 });
      assert.deepEqual(
        claimed.map(({ job }) => job.name),
        names.slice(200).reverse(),
      );
    },

    'tells how long until the next job of the names is due': async (t) => {
      const until = async (names: string[], limit = 100) =>
        (await t.storage.claim(t.claimParams({ names, limit }))).nextDueInMs;
      assert.equal(await until(['a', 'b']), null);
      await t.enqueue(
        { name: 'a', delayMs: 500 },
        { name: 'a', delayMs: 300, priority: -5 },
        { name: 'b', delayMs: 400 },
      );
      await t.enqueue({ name: 'other', delayMs: 1 });
      assert.equal(await until(['a', 'b']), 300);
      assert.equal(await until(['b']), 400);
      await t.advance(100);
      assert.equal(await until(['a', 'b']), 200);
      await t.enqueue({ name: 'b' }, { name: 'b' });
      assert.equal(await until(['b'], 1), 0, 'more is due now');
      assert.equal(await until(['b']), 300, 'what was due has been taken');
    },

    'gives a job that was retried or released its old place in the order': async (t) => {
      const [first, second] = (await t.enqueue({}, {})) as [string, string];
      for (const outcome of [RELEASED, failed(0)]) {
        const { job, lease } = await t.claimOne();
        assert.equal(job.id, first);
        await t.settle(lease, outcome);
      }
      assert.deepEqual(await t.claimIds(), [first, second]);
    },

    'never gives one job to two of many concurrent claims': async (t) => {
      const ids = await t.enqueue(...Array.from({ length: 100 }, (_, i) => ({ name: i % 2 ? 'odd' : 'even' })));
      const claims = Array.from({ length: 25 }, (_, i) =>
        t.claimIds({ workerId: `w-${i}`, names: ['odd', 'even'], limit: 7 }),
      );
      const taken = (await Promise.all(claims)).flat();
      assert.equal(taken.length, 100);
      assert.deepEqual([...taken].sort(), [...ids].sort());
    },

    'never gives one job twice while jobs come and go': async (t) => {
      const seen: string[] = [];
      const rounds = Array.from({ length: 10 }, async (_, i) => {
        await t.enqueue({}, {}, {});
        const claimed = await t.claim({ workerId: `w-${i}`, limit: 5 });
        seen.push(...claimed.map(({ job }) => job.id));
        await Promise.all(claimed.map(({ lease }) => t.settle(lease, { kind: 'success', result: null })));
      });
      await Promise.all(rounds);
      seen.push(...(await t.claimIds()));
      assert.equal(seen.length, 30);
      assert.equal(new Set(seen).size, 30);
    },
  },
};
