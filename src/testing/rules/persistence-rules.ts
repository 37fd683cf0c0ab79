import assert from 'node:assert/strict';
import { JOB_STATES } from '../../core/job.ts';
import { failed, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { ScheduleContext } from '../schedule-context.ts';

/** All that can be read of the storage. */
async function readEverything(t: RuleContext): Promise<unknown> {
  const { jobs, total } = await t.list();
  const whole = await Promise.all(jobs.map(async ({ id }) => [await t.job(id), await t.attempts(id)]));
  return { jobs, total, whole, counts: await t.storage.counts(), byDue: await t.list({ orderBy: 'scheduledAt' }) };
}

export const persistenceRules: RuleGroup = {
  topic: 'persistence',
  needs: 'isPersistent',
  rules: {
    'gives back everything as it was after it was closed and opened': async (t) => {
      for (const state of JOB_STATES) await t.enqueueIn(state, { name: `task-${state}`, idempotencyKey: 'k' });
      await t.enqueue({ delayMs: 500, priority: -4 }, { runAt: 3.5 });
      await t.settle((await t.claimOne()).lease, failed(77.25));
      const before = await readEverything(t);
      await t.reopen();
      assert.deepEqual(await readEverything(t), before);
      await t.reopen();
      assert.deepEqual(await readEverything(t), before);
    },

    'gives back schedules as they were, and fires them': async (t) => {
      const s = new ScheduleContext(t);
      const ids = [await s.createId({ name: 'a' }), await s.createId({ name: 'b' }), await s.createId({ name: 'c' })];
      await s.changeState(ids[1] as string, 'paused');
      await s.changeState(ids[2] as string, 'deleted');
      await s.fire(await s.firing(ids[0] as string));
      const readAll = async () => [
        await s.list(),
        await Promise.all(ids.map((id) => s.read(id))),
        await readEverything(t),
      ];
      const before = await readAll();
      const firing = await s.firing(ids[0] as string);
      await t.reopen();
      assert.deepEqual(await readAll(), before);
      assert.equal((await s.create({ name: 'a' })).isNew, false);
      assert.equal((await s.create({ name: 'c' })).isNew, true);
      assert.equal(await s.fire(firing), 'fired');
      assert.equal(await s.fire(firing), 'stale');
      await t.advance(120_000);
      assert.equal((await t.claimIds()).length, 2);
    },

    'keeps the order of claims, and goes on with it': async (t) => {
      const lateId = t.nextId();
      const earlyIds = await t.enqueue({}, { priority: 1 }, {});
      await t.reopen();
      // An id that sorts before the others shows whether enqueue order went on or began anew.
      await t.enqueueOne({ id: lateId });
      const [a, b, c] = earlyIds;
      assert.deepEqual(await t.claimIds(), [b, a, c, lateId]);
    },

    'keeps leases: they extend, settle and expire as before': async (t) => {
      await t.enqueue({}, {}, {});
      const [a, b, c] = await t.claim({ leaseMs: 100 });
      assert.ok(a && b && c);
      await t.reopen();
      assert.deepEqual(await t.claimIds(), []);
      assert.deepEqual(await t.storage.extendLeases({ leases: [a.lease], leaseMs: 500 }), ['held']);
      assert.equal((await t.settle(b.lease, succeeded(1))).status, 'settled');
      assert.equal((await t.settle({ ...c.lease, token: 'forged' }, succeeded(1))).status, 'lease_lost');
      await t.advance(100);
      const { jobs, nextExpiryInMs } = await t.storage.reclaimExpired({ limit: 10 });
      assert.deepEqual([jobs.map(({ jobId }) => jobId), nextExpiryInMs], [[c.job.id], 400]);
    },

    'knows the repeat of a settle': async (t) => {
      const id = await t.enqueueOne();
      const { lease } = await t.claimOne();
      const first = await t.settle(lease, succeeded('one'));
      await t.reopen();
      assert.deepEqual(await t.assertUnchanged(id, () => t.settle(lease, succeeded('two'))), first);
    },

    'knows ids and idempotency keys': async (t) => {
      const job = t.newJob({ idempotencyKey: 'k' });
      await t.storage.enqueue({ jobs: [job] });
      await t.reopen();
      const other = t.newJob({ idempotencyKey: 'k' });
      assert.deepEqual(await t.storage.enqueue({ jobs: [other] }), [{ jobId: job.id, deduplicated: true }]);
      assert.deepEqual(await t.storage.enqueue({ jobs: [job] }), [{ jobId: job.id, deduplicated: false }]);
      assert.equal((await t.list()).total, 1);
    },

    'wakes delayed jobs that became due while it was closed': async (t) => {
      const id = await t.enqueueOne({ delayMs: 100 });
      await t.storage.close();
      await t.advance(100);
      await t.reopen();
      assert.deepEqual(await t.claimIds(), [id]);
    },

    'forgets what was pruned': async (t) => {
      const id = await t.enqueueIn('success', { idempotencyKey: 'k' });
      await t.advance(1);
      await t.storage.prune({ state: 'success', olderThanMs: 0, limit: 1 });
      await t.reopen();
      assert.deepEqual(await t.storage.getJobs({ jobIds: [id] }), [null]);
      assert.deepEqual(await t.storage.counts(), []);
      assert.notEqual(await t.enqueueOne({ idempotencyKey: 'k' }), id);
    },

    'keeps what was called before close': async (t) => {
      const jobs = Array.from({ length: 30 }, () => t.newJob());
      const calls = jobs.map((job) => t.storage.enqueue({ jobs: [job] }));
      await t.reopen();
      await Promise.all(calls);
      assert.deepEqual((await t.claimIds()).sort(), jobs.map(({ id }) => id).sort());
    },
  },
};
