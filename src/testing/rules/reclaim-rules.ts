import assert from 'node:assert/strict';
import { type Lease, lostAttemptError, MAX_ATTEMPT_HISTORY } from '../../core/job.ts';
import { failed, RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

/** Claims jobs one by one, a tick apart, so that each lease expires a tick after the one before. */
async function claimApart(t: RuleContext, count: number, leaseMs: number): Promise<Lease[]> {
  await t.enqueue(...Array.from({ length: count }, () => ({})));
  const leases: Lease[] = [];
  for (let i = 0; i < count; i++) {
    leases.push((await t.claimOne({ leaseMs })).lease);
    await t.advance(1);
  }
  return leases;
}

async function reclaimedIds(t: RuleContext, limit = 100): Promise<string[]> {
  return (await t.storage.reclaimExpired({ limit })).jobs.map(({ jobId }) => jobId);
}

export const reclaimRules: RuleGroup = {
  topic: 'reclaim',
  needs: null,
  rules: {
    'puts a lost job back, due now, with the lost attempt in its history': async (t) => {
      const id = await t.enqueueOne({ name: 'mail:send', runAt: 5 });
      await t.claimOne({ names: ['mail:send'], workerId: 'w-9', leaseMs: 100 });
      const before = await t.job(id);
      await t.advance(150);
      const { jobs, nextExpiryInMs } = await t.storage.reclaimExpired({ limit: 10 });
      assert.deepEqual(jobs, [{ jobId: id, name: 'mail:send', attempt: 1, state: 'pending' }]);
      assert.equal(nextExpiryInMs, null);
      const error = lostAttemptError('w-9');
      const back = { ...before, state: 'pending', runAt: t.now(), leaseExpiresAt: null, error };
      assert.deepEqual(await t.job(id), back);
      const { startedAt } = before;
      assert.deepEqual(await t.attempts(id), [
        { attempt: 1, outcome: 'lost', workerId: 'w-9', startedAt, endedAt: t.now(), error },
      ]);
      const again = await t.claimOne({ names: ['mail:send'] });
      assert.deepEqual([again.job.id, again.job.attempt], [id, 2]);
    },

    'ends a job whose last attempt was lost': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 1 } });
      const { job } = await t.claimOne({ workerId: 'w-9', leaseMs: 100 });
      const before = await t.job(id);
      await t.advance(100);
      const { jobs } = await t.storage.reclaimExpired({ limit: 10 });
      assert.deepEqual(jobs, [{ jobId: job.id, name: 'task', attempt: 1, state: 'dead' }]);
      const error = lostAttemptError('w-9');
      const dead = { ...before, state: 'dead', finishedAt: t.now(), leaseExpiresAt: null, error };
      assert.deepEqual(await t.job(id), dead);
      assert.equal((await t.attempts(id))[0]?.outcome, 'lost');
      assert.deepEqual(await t.claimIds(), []);
    },

    'ends a job that kills its worker every time': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 4 } });
      for (let attempt = 1; attempt <= 4; attempt++) {
        assert.equal((await t.claimOne({ leaseMs: 10 })).job.attempt, attempt);
        await t.advance(10);
        await t.storage.reclaimExpired({ limit: 10 });
      }
      assert.equal((await t.job(id)).state, 'dead');
      assert.deepEqual(
        (await t.attempts(id)).map(({ attempt }) => attempt),
        [1, 2, 3, 4],
      );
    },

    'counts failed and lost attempts alike, released ones not': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 2 } });
      await t.settle((await t.claimOne()).lease, RELEASED);
      await t.settle((await t.claimOne()).lease, failed(0));
      await t.settle((await t.claimOne()).lease, RELEASED);
      await t.claimOne({ leaseMs: 10 });
      await t.advance(10);
      await t.storage.reclaimExpired({ limit: 10 });
      assert.equal((await t.job(id)).state, 'dead');
      assert.deepEqual(
        (await t.attempts(id)).map(({ outcome }) => outcome),
        ['failed', 'lost'],
      );
    },

    'takes a lease at the moment it expires and not before': async (t) => {
      const id = await t.enqueueOne();
      await t.claimOne({ leaseMs: 100 });
      await t.advance(99.5);
      assert.deepEqual(await t.storage.reclaimExpired({ limit: 10 }), { jobs: [], nextExpiryInMs: 0.5 });
      await t.advance(0.5);
      assert.deepEqual(await reclaimedIds(t), [id]);
    },

    'takes the oldest expiry first, up to the limit': async (t) => {
      const leases = await claimApart(t, 5, 100);
      await t.storage.extendLeases({ leases: [leases[0] as Lease], leaseMs: 150 });
      await t.advance(500);
      const ids = leases.map(({ jobId }) => jobId);
      const { jobs, nextExpiryInMs } = await t.storage.reclaimExpired({ limit: 2 });
      assert.deepEqual(
        jobs.map(({ jobId }) => jobId),
        [ids[1], ids[2]],
      );
      assert.equal(nextExpiryInMs, 0, 'more has expired');
      assert.deepEqual(await reclaimedIds(t, 2), [ids[3], ids[4]]);
      assert.deepEqual(await reclaimedIds(t, 2), [ids[0]]);
    },

    'tells how long until the next lease expires': async (t) => {
      const next = async () => (await t.storage.reclaimExpired({ limit: 10 })).nextExpiryInMs;
      assert.equal(await next(), null);
      await t.enqueue({}, {});
      assert.equal(await next(), null);
      const { lease: long } = await t.claimOne({ leaseMs: 800 });
      const { lease: short } = await t.claimOne({ leaseMs: 300 });
      assert.equal(await next(), 300);
      await t.storage.extendLeases({ leases: [short], leaseMs: 2000 });
      assert.equal(await next(), 800);
      await t.settle(long, succeeded(1));
      assert.equal(await next(), 2000);
      await t.settle(short, RELEASED);
      assert.equal(await next(), null);
    },

    'leaves alone what was extended, settled or never claimed': async (t) => {
      await t.enqueue({}, {}, {}, {});
      const [a, b, c] = (await t.claim({ limit: 3, leaseMs: 100 })).map(({ lease }) => lease) as [Lease, Lease, Lease];
      await t.settle(a, succeeded(1));
      await t.settle(b, failed(0));
      await t.advance(50);
      await t.storage.extendLeases({ leases: [c], leaseMs: 100 });
      await t.advance(99);
      assert.deepEqual(await reclaimedIds(t), []);
    },

    'takes each lease once': async (t) => {
      const leases = await claimApart(t, 30, 100);
      await t.advance(500);
      const taken = (await Promise.all(Array.from({ length: 10 }, () => reclaimedIds(t, 4)))).flat();
      assert.deepEqual([...taken].sort(), leases.map(({ jobId }) => jobId).sort());
      assert.deepEqual(await reclaimedIds(t), []);
      assert.equal((await t.attempts(taken[0] as string)).length, 1);
    },

    'gives one of a concurrent settle and reclaim the attempt, never both': async (t) => {
      const ids = await t.enqueue(...Array.from({ length: 30 }, () => ({})));
      const claimed = await t.claim({ leaseMs: 100 });
      await t.advance(100);
      const [settled] = await Promise.all([
        Promise.all(claimed.map(({ lease }) => t.settle(lease, succeeded(1)))),
        ...Array.from({ length: 6 }, () => t.storage.reclaimExpired({ limit: 5 })),
      ]);
      for (const [i, id] of ids.entries()) {
        const { state } = await t.job(id);
        const lost = (await t.attempts(id)).length;
        const expected = settled[i]?.status === 'settled' ? ['success', 0] : ['pending', 1];
        assert.deepEqual([state, lost], expected);
      }
    },

    'keeps the last of many lost attempts': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 100 } });
      for (let i = 0; i < MAX_ATTEMPT_HISTORY + 3; i++) {
        await t.claimOne({ leaseMs: 1 });
        await t.advance(1);
        await t.storage.reclaimExpired({ limit: 1 });
      }
      const kept = Array.from({ length: MAX_ATTEMPT_HISTORY }, (_, i) => i + 4);
      assert.deepEqual(
        (await t.attempts(id)).map(({ attempt }) => attempt),
        kept,
      );
    },

    'keeps the place of a lost job among those due at the same time': async (t) => {
      const first = await t.enqueueOne();
      await t.claimOne({ leaseMs: 10 });
      await t.advance(10);
      const second = await t.enqueueOne();
      await t.storage.reclaimExpired({ limit: 1 });
      assert.deepEqual(await t.claimIds(), [first, second]);
    },
  },
};
