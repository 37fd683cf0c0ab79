import assert from 'node:assert/strict';
import type { JobState } from '../../core/job.ts';
import type { NameCounts } from '../../core/storage.ts';
import { died, failed, RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

function countsOf(name: string, counts: Partial<Record<JobState, number>>): NameCounts {
  return { name, pending: 0, running: 0, success: 0, dead: 0, cancelled: 0, ...counts };
}

async function assertCounts(t: RuleContext, counts: Partial<Record<JobState, number>>): Promise<void> {
  assert.deepEqual(await t.storage.counts(), [countsOf('task', counts)]);
}

export const countRules: RuleGroup = {
  topic: 'counts',
  needs: null,
  rules: {
    'are none for an empty storage': async (t) => {
      assert.deepEqual(await t.storage.counts(), []);
    },

    'are sorted by name': async (t) => {
      const names = ['b', 'a:b', 'B', 'a', 'a.b', 'a/b', '0', 'aa', 'a-b', 'a_b'];
      await t.enqueue(...names.map((name) => ({ name })), { name: 'b' });
      const expected = [...names].sort().map((name) => countsOf(name, { pending: name === 'b' ? 2 : 1 }));
      assert.deepEqual(await t.storage.counts(), expected);
    },

    'follow a job through every change of state': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 3 } });
      await assertCounts(t, { pending: 1 });
      for (const [outcome, counts] of [
        [RELEASED, { pending: 1 }],
        [failed(0), { pending: 1 }],
        [died(), { dead: 1 }],
      ] as const) {
        const { lease } = await t.claimOne();
        await assertCounts(t, { running: 1 });
        await t.settle(lease, outcome);
        await assertCounts(t, counts);
      }
      await t.retry(id);
      await assertCounts(t, { pending: 1 });
      await t.claimOne({ leaseMs: 1 });
      await t.advance(1);
      await t.storage.reclaimExpired({ limit: 1 });
      await assertCounts(t, { pending: 1 });
      await t.cancel(id);
      await assertCounts(t, { cancelled: 1 });
      await t.advance(1);
      await t.storage.prune({ state: 'cancelled', olderThanMs: 0, limit: 1 });
      assert.deepEqual(await t.storage.counts(), []);
    },

    'are not moved by what changes nothing': async (t) => {
      const job = t.newJob({ idempotencyKey: 'k' });
      await t.storage.enqueue({ jobs: [job, job] });
      await t.storage.enqueue({ jobs: [job, t.newJob({ idempotencyKey: 'k' })] });
      await t.retry(job.id);
      await assertCounts(t, { pending: 1 });
      const { lease } = await t.claimOne();
      await t.cancel(job.id);
      await t.settle({ ...lease, token: 'forged' }, died());
      await t.storage.extendLeases({ leases: [lease], leaseMs: 5 });
      await t.storage.reclaimExpired({ limit: 5 });
      await assertCounts(t, { running: 1 });
      for (let i = 0; i < 3; i++) await t.settle(lease, succeeded(1));
      await t.storage.settle({ settlements: [1, 2].map((value) => ({ lease, outcome: succeeded(value) })) });
      await t.cancel(job.id);
      await t.storage.prune({ state: 'success', olderThanMs: 1000, limit: 5 });
      await assertCounts(t, { success: 1 });
    },

    'are exact after many jobs changed at once': async (t) => {
      await t.enqueue(...Array.from({ length: 60 }, () => ({})));
      const claims = await Promise.all(Array.from({ length: 6 }, () => t.claim({ limit: 5 })));
      const outcomes = [succeeded(1), failed(10), died(), RELEASED, null];
      const settled = claims.flat().flatMap(({ lease }, i) => {
        const outcome = outcomes[i % outcomes.length] ?? null;
        return outcome === null ? [] : [t.settle(lease, outcome)];
      });
      await Promise.all(settled);
      await assertCounts(t, { pending: 30 + 12, running: 6, success: 6, dead: 6 });
    },

    'forget a name when its last job is pruned': async (t) => {
      await t.enqueueIn('success', { name: 'a' });
      await t.enqueueOne({ name: 'b' });
      await t.advance(1);
      await t.storage.prune({ state: 'success', olderThanMs: 0, limit: 5 });
      assert.deepEqual(await t.storage.counts(), [countsOf('b', { pending: 1 })]);
    },
  },
};
