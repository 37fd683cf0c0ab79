import assert from 'node:assert/strict';
import type { Lease } from '../../core/job.ts';
import { type Claimed, died, failed, LEASE_LOST, RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

const LEASE_MS = 1000;
const OUTCOMES = [succeeded('late'), succeeded(undefined), failed(5), died(), RELEASED];

/** A worker whose lease expired and whose job another worker holds by now. */
async function loseLease(t: RuleContext): Promise<{ stale: Claimed; held: Claimed }> {
  await t.enqueueOne();
  const stale = await t.claimOne({ workerId: 'slow', leaseMs: LEASE_MS });
  await t.advance(LEASE_MS);
  await t.storage.reclaimExpired({ limit: 10 });
  const held = await t.claimOne({ workerId: 'other', leaseMs: LEASE_MS });
  assert.equal(held.job.id, stale.job.id);
  return { stale, held };
}

/** Leases like `lease` that nobody was given. */
function forgeries(t: RuleContext, lease: Lease): Lease[] {
  return [
    { ...lease, token: 'forged' },
    { ...lease, token: '' },
    { ...lease, attempt: lease.attempt + 1 },
    { ...lease, attempt: lease.attempt - 1 },
    { ...lease, jobId: t.nextId() },
  ];
}

export const leaseRules: RuleGroup = {
  topic: 'leases',
  needs: null,
  rules: {
    'extends a held lease from now, longer or shorter': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne({ leaseMs: LEASE_MS });
      for (const leaseMs of [5000, 10]) {
        await t.advance(5);
        assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs }), ['held']);
        assert.equal((await t.job(job.id)).leaseExpiresAt, t.now() + leaseMs);
      }
    },

    'changes nothing but the expiry when it extends': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      const before = await t.job(job.id);
      await t.advance(5);
      await t.storage.extendLeases({ leases: [lease], leaseMs: 7 });
      assert.deepEqual(await t.job(job.id), { ...before, leaseExpiresAt: t.now() + 7 });
    },

    'still extends and settles a lease that has expired but was not reclaimed': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne({ leaseMs: LEASE_MS });
      await t.advance(LEASE_MS * 10);
      assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs: LEASE_MS }), ['held']);
      assert.deepEqual((await t.storage.reclaimExpired({ limit: 10 })).jobs, []);
      await t.advance(LEASE_MS * 10);
      assert.equal((await t.settle(lease, succeeded('ok'))).status, 'settled');
      assert.equal((await t.job(job.id)).state, 'success');
    },

    'refuses to extend what was reclaimed, given to another, or settled': async (t) => {
      const { stale, held } = await loseLease(t);
      const extend = () => t.storage.extendLeases({ leases: [stale.lease, held.lease], leaseMs: 9 });
      assert.deepEqual(await extend(), ['lease_lost', 'held']);
      assert.equal((await t.job(held.job.id)).leaseExpiresAt, t.now() + 9);
      await t.settle(held.lease, succeeded(1));
      assert.deepEqual(await extend(), ['lease_lost', 'lease_lost']);
    },

    'refuses to extend a lease that nobody was given': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      const forged = forgeries(t, lease);
      const answer = await t.assertUnchanged(job.id, () => t.storage.extendLeases({ leases: forged, leaseMs: 1 }));
      assert.deepEqual(
        answer,
        forged.map(() => 'lease_lost'),
      );
    },

    'refuses to extend a job that waits': async (t) => {
      const id = await t.enqueueOne();
      const lease = { jobId: id, attempt: 0, token: '' };
      assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs: 1 }), ['lease_lost']);
      assert.equal((await t.job(id)).leaseExpiresAt, null);
    },

    'answers extensions by position': async (t) => {
      await t.enqueue({}, {}, {});
      const leases = (await t.claim()).map(({ lease }) => lease);
      await t.settle(leases[1] as Lease, succeeded(1));
      assert.deepEqual(await t.storage.extendLeases({ leases, leaseMs: 5 }), ['held', 'lease_lost', 'held']);
      assert.deepEqual(await t.storage.extendLeases({ leases: [], leaseMs: 5 }), []);
    },

    'extends a lease that comes twice, and answers for both': async (t) => {
      await t.enqueue({}, {});
      const [a, b] = (await t.claim()).map(({ lease }) => lease) as [Lease, Lease];
      const leases = [b, a, { ...a, token: 'forged' }, b, a];
      assert.deepEqual(await t.storage.extendLeases({ leases, leaseMs: 5 }), [
        'held',
        'held',
        'lease_lost',
        'held',
        'held',
      ]);
    },

    'refuses to settle under a lease that nobody was given': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      for (const outcome of OUTCOMES) {
        for (const forged of forgeries(t, lease)) {
          assert.deepEqual(await t.assertUnchanged(job.id, () => t.settle(forged, outcome)), LEASE_LOST);
        }
      }
      assert.equal((await t.settle(lease, succeeded(1))).status, 'settled');
    },

    'a worker that lost its lease cannot settle, whatever the outcome': async (t) => {
      const { stale, held } = await loseLease(t);
      for (const outcome of OUTCOMES) {
        assert.deepEqual(await t.assertUnchanged(stale.job.id, () => t.settle(stale.lease, outcome)), LEASE_LOST);
      }
      assert.equal((await t.settle(held.lease, succeeded('right'))).status, 'settled');
    },

    'a worker whose job was reclaimed cannot settle before another has it': async (t) => {
      const id = await t.enqueueOne();
      const { lease } = await t.claimOne({ leaseMs: LEASE_MS });
      await t.advance(LEASE_MS);
      await t.storage.reclaimExpired({ limit: 1 });
      for (const outcome of OUTCOMES) {
        assert.deepEqual(await t.assertUnchanged(id, () => t.settle(lease, outcome)), LEASE_LOST);
      }
    },

    'a late settle of a lost attempt does not overturn a success': async (t) => {
      const { stale, held } = await loseLease(t);
      await t.settle(held.lease, succeeded('right'));
      for (const outcome of OUTCOMES) {
        assert.deepEqual(await t.assertUnchanged(stale.job.id, () => t.settle(stale.lease, outcome)), LEASE_LOST);
      }
    },

    'tells two attempts of one number apart by their tokens': async (t) => {
      const id = await t.enqueueOne();
      const released = await t.claimOne();
      await t.settle(released.lease, RELEASED);
      const held = await t.claimOne();
      assert.equal(held.job.attempt, released.job.attempt);
      assert.deepEqual(await t.storage.extendLeases({ leases: [released.lease], leaseMs: 1 }), ['lease_lost']);
      for (const outcome of OUTCOMES) await t.assertUnchanged(id, () => t.settle(released.lease, outcome));
      assert.equal((await t.settle(held.lease, succeeded(1))).status, 'settled');
    },

    'fences a pruned job': async (t) => {
      await t.enqueueOne();
      const { lease } = await t.claimOne();
      await t.settle(lease, succeeded(1));
      await t.advance(1);
      await t.storage.prune({ state: 'success', olderThanMs: 0, limit: 1 });
      assert.deepEqual(await t.settle(lease, succeeded(1)), LEASE_LOST);
      assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs: 1 }), ['lease_lost']);
    },
  },
};
