import assert from 'node:assert/strict';
import { NEVER_DUE } from '../../core/options.ts';
import { died, errorOf, failed, LEASE_LOST, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { StepContext, suspended } from '../step-context.ts';

export const suspensionRules: RuleGroup = {
  topic: 'suspensions',
  needs: null,
  rules: {
    'puts the job back and does not count the attempt': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent', { delayMs: 0 });
      const before = await t.job(job.id);
      await t.advance(30);
      const wakeAt = t.now() + 250.5;
      assert.deepEqual(await s.suspend(lease, { wakeAt }), { status: 'settled', state: 'pending', runAt: wakeAt });
      assert.deepEqual(await t.job(job.id), {
        ...before,
        state: 'pending',
        isSuspended: true,
        attempt: 0,
        runAt: wakeAt,
        startedAt: null,
        leaseExpiresAt: null,
      });
      assert.deepEqual(await t.attempts(job.id), []);
      assert.deepEqual((await t.list()).jobs[0]?.isSuspended, true);
    },

    'keeps what is known of the attempts before': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne();
      await t.settle((await t.claimOne()).lease, failed(0, 'first'));
      await t.advance(5);
      const { lease } = await t.claimOne({ workerId: 'w-2' });
      const before = await t.job(id);
      const history = await t.attempts(id);
      await s.suspend(lease, { wakeAt: t.now() });
      const after = {
        ...before,
        state: 'pending',
        isSuspended: true,
        attempt: 1,
        runAt: t.now(),
        leaseExpiresAt: null,
      };
      assert.deepEqual(await t.job(id), after);
      assert.deepEqual(after.error, errorOf('first'));
      assert.deepEqual(await t.attempts(id), history);
      assert.equal((await t.claimOne()).job.attempt, 2);
    },

    'may suspend more often than a job has attempts': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne({ options: { maxAttempts: 1 } });
      for (let i = 0; i < 5; i++) {
        const { job, lease } = await t.claimOne();
        assert.equal(job.attempt, 1);
        await s.suspend(lease, { wakeAt: 0 });
      }
      await t.settle((await t.claimOne()).lease, succeeded(1));
      assert.equal((await t.job(id)).state, 'success');
    },

    'time wakes the job, and a claim says how long that takes': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.suspend(lease, { wakeAt: t.now() + 100 });
      assert.deepEqual(await t.storage.claim(t.claimParams()), { jobs: [], nextDueInMs: 100 });
      await t.advance(99.5);
      assert.deepEqual(await t.claimIds(), []);
      await t.advance(0.5);
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'is due at once if the time has passed': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      const wakeAt = t.now() - 50;
      assert.deepEqual(await s.suspend(lease, { wakeAt }), { status: 'settled', state: 'pending', runAt: wakeAt });
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'stays for ever if nothing wakes it': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      assert.deepEqual(await s.suspend(lease), { status: 'settled', state: 'pending', runAt: NEVER_DUE });
      assert.equal((await t.job(job.id)).runAt, NEVER_DUE);
      await t.advance(3660 * 86_400_000);
      assert.deepEqual(await t.claimIds(), []);
    },

    'runs again like any job once it is claimed': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await t.advance(10);
      await s.suspend(lease, { wakeAt: t.now(), signalsSeen: 0, awaits: [await t.enqueueOne({ name: 'other' })] });
      await t.advance(10);
      const again = await t.claimOne({ workerId: 'w-2', leaseMs: 500 });
      assert.deepEqual(await t.job(job.id), {
        ...(await t.job(job.id)),
        state: 'running',
        isSuspended: false,
        attempt: 1,
        startedAt: t.now(),
        workerId: 'w-2',
        leaseExpiresAt: t.now() + 500,
      });
      assert.equal(again.job.isSuspended, false);
      const before = await t.job(job.id);
      // What it waited for wakes it no more.
      await s.signal(job.id);
      await t.settle((await t.claimOne({ names: ['other'] })).lease, succeeded(1));
      assert.deepEqual(await t.job(job.id), { ...before, signalCount: 1 });
      await t.settle(again.lease, failed(100));
      await s.signal(job.id);
      const waiting = await t.job(job.id);
      assert.deepEqual([waiting.state, waiting.isSuspended, waiting.runAt], ['pending', false, t.now() + 100]);
      assert.deepEqual(await t.claimIds(), []);
    },

    'tells the worker that claims it that the attempt goes on': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task', { options: { maxAttempts: 9 } });
      assert.equal(job.isResumed, false);
      await s.suspend(lease, { wakeAt: t.now() });
      for (const outcome of [suspended({ wakeAt: t.now() + 5 }), suspended({ signalsSeen: 0 }), failed(0)]) {
        const resumed = await t.claimOne();
        assert.equal(resumed.job.isResumed, true);
        await t.settle(resumed.lease, outcome);
        await s.signal(job.id);
        await t.advance(5);
      }
      for (const outcome of [RELEASED, died()]) {
        const begun = await t.claimOne();
        assert.equal(begun.job.isResumed, false, 'another attempt begins');
        await t.settle(begun.lease, outcome);
      }
      await t.retry(job.id);
      assert.equal((await t.claimOne()).job.isResumed, false);
    },

    'does not hold up the others of its name': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task', { priority: 100 });
      await s.suspend(lease);
      const ids = await t.enqueue({}, {}, { delayMs: 40 });
      assert.deepEqual(await t.claimIds({ limit: 1 }), [ids[0]]);
      const { jobs, nextDueInMs } = await t.storage.claim(t.claimParams());
      assert.deepEqual([jobs.map(({ id }) => id), nextDueInMs], [[ids[1]], 40]);
      await s.signal(job.id);
      await t.advance(40);
      assert.deepEqual(await t.claimIds(), [ids[2]]);
    },

    'goes before others by its priority once it is woken': async (t) => {
      const s = new StepContext(t);
      const first = await s.start('task', { priority: 5 });
      const second = await s.start('task');
      const id = await t.enqueueOne();
      await t.advance(10);
      await s.suspend(second.lease, { signalsSeen: 0 });
      await s.suspend(first.lease, { signalsSeen: 0 });
      await s.signal(second.job.id);
      await s.signal(first.job.id);
      assert.deepEqual(await t.claimIds(), [first.job.id, id, second.job.id]);
    },

    'is pending to those who count and list': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.suspend(lease);
      const expected = [{ name: 'task', pending: 1, running: 0, success: 0, dead: 0, cancelled: 0 }];
      assert.deepEqual(await t.storage.counts(), expected);
      assert.deepEqual((await t.list({ states: ['pending'] })).ids, [job.id]);
      const later = await t.enqueueOne({ delayMs: 1000 });
      assert.deepEqual((await t.list({ orderBy: 'scheduledAt' })).ids, [later, job.id]);
      await t.storage.reclaimExpired({ limit: 1 });
      assert.equal((await t.job(job.id)).isSuspended, true);
    },

    'can be cancelled, and is not woken then': async (t) => {
      const s = new StepContext(t);
      for (const isRunningIncluded of [true, false]) {
        const awaited = await s.start('awaited');
        const { job, lease } = await s.start('task');
        await s.suspend(lease, { awaits: [awaited.job.id], signalsSeen: 0 });
        const before = await t.job(job.id);
        await t.advance(5);
        const results = await t.storage.cancel({ jobIds: [job.id], isRunningIncluded });
        assert.deepEqual(results, [{ status: 'changed', state: 'cancelled' }]);
        const cancelled = { ...before, state: 'cancelled', isSuspended: false, finishedAt: t.now() };
        assert.deepEqual(await t.job(job.id), cancelled);
        await t.settle(awaited.lease, succeeded(1));
        assert.deepEqual(await t.job(job.id), cancelled);
        assert.deepEqual(await t.claimIds(), []);
      }
    },

    'cannot be retried: it is not dead': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.suspend(lease);
      const refused = { status: 'refused', state: 'pending' };
      assert.deepEqual(await t.assertUnchanged(job.id, () => t.retry(job.id)), refused);
    },

    'ends the lease': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task', {}, 100);
      await s.suspend(lease, { wakeAt: t.now() });
      assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs: 1 }), ['lease_lost']);
      const stale = { ...lease, token: t.nextToken() };
      assert.deepEqual(await t.assertUnchanged(job.id, () => t.settle(stale, succeeded(1))), LEASE_LOST);
      await t.advance(100);
      assert.deepEqual(await t.storage.reclaimExpired({ limit: 1 }), { jobs: [], nextExpiryInMs: null });
    },

    'a worker that lost its lease cannot suspend': async (t) => {
      const s = new StepContext(t);
      const stale = await s.start('task', {}, 10);
      await t.advance(10);
      await t.storage.reclaimExpired({ limit: 1 });
      const forged = { ...(await t.claimOne()).lease, token: 'forged' };
      for (const lease of [stale.lease, forged]) {
        assert.deepEqual(await t.assertUnchanged(stale.job.id, () => s.suspend(lease, { wakeAt: 0 })), LEASE_LOST);
      }
    },

    'the first of two settlements of one lease in a batch stands, whichever suspends': async (t) => {
      const s = new StepContext(t);
      for (const outcomes of [
        [suspended(), succeeded(1), failed(0)],
        [succeeded(1), suspended(), died()],
        [suspended({ wakeAt: t.now() + 500 }), suspended()],
      ]) {
        const { job, lease } = await s.start('task');
        const results = await t.storage.settle({ settlements: outcomes.map((outcome) => ({ lease, outcome })) });
        const { state, runAt, isSuspended } = await t.job(job.id);
        assert.deepEqual(
          [state, isSuspended],
          outcomes[0]?.kind === 'suspend' ? ['pending', true] : ['success', false],
        );
        assert.deepEqual(results, Array(outcomes.length).fill({ status: 'settled', state, runAt }));
        if (isSuspended) assert.equal(runAt, outcomes.length === 2 ? t.now() + 500 : NEVER_DUE);
      }
    },

    'a repeat is told what is, and changes nothing, until a later attempt settles': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      const first = await s.suspend(lease, { signalsSeen: 0 });
      for (const repeat of [suspended({ wakeAt: 0 }), suspended({ signalsSeen: 0 }), died(), RELEASED]) {
        assert.deepEqual(await t.assertUnchanged(job.id, () => t.settle(lease, repeat)), first, repeat.kind);
      }
      await s.signal(job.id);
      assert.deepEqual(await s.suspend(lease, { signalsSeen: 0 }), { ...first, runAt: t.now() });
      const second = await t.claimOne();
      assert.equal(second.job.attempt, lease.attempt);
      assert.deepEqual(await t.assertUnchanged(job.id, () => s.suspend(lease)), {
        status: 'settled',
        state: 'running',
        runAt: t.now(),
      });
      await s.suspend(second.lease);
      assert.deepEqual(await t.assertUnchanged(job.id, () => s.suspend(lease)), LEASE_LOST);
    },
  },
};
