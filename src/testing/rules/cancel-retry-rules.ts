import assert from 'node:assert/strict';
import { JOB_STATES } from '../../core/job.ts';
import { died, failed, LEASE_LOST, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

export const cancelRetryRules: RuleGroup = {
  topic: 'cancel and retry',
  needs: null,
  rules: {
    'cancels a pending job': async (t) => {
      const id = await t.enqueueOne({ delayMs: 5 });
      const before = await t.job(id);
      await t.advance(10);
      assert.deepEqual(await t.cancel(id), { status: 'changed', state: 'cancelled' });
      assert.deepEqual(await t.job(id), { ...before, state: 'cancelled', finishedAt: t.now() });
      assert.deepEqual(await t.claimIds(), []);
    },

    'cancels a job that waits for its next attempt, history and error kept': async (t) => {
      const id = await t.enqueueOne();
      await t.settle((await t.claimOne()).lease, failed(100));
      const before = await t.job(id);
      const history = await t.attempts(id);
      await t.cancel(id);
      assert.deepEqual(await t.job(id), { ...before, state: 'cancelled', finishedAt: t.now() });
      assert.deepEqual(await t.attempts(id), history);
      await t.advance(100);
      assert.deepEqual(await t.claimIds(), []);
    },

    'cancels only what is pending, retries only what is dead': async (t) => {
      for (const state of JOB_STATES) {
        const id = await t.enqueueIn(state, { name: `task-${state}` });
        const refused = { status: 'refused', state };
        if (state !== 'pending') {
          assert.deepEqual(await t.assertUnchanged(id, () => t.cancel(id)), refused);
        }
        if (state !== 'dead') {
          assert.deepEqual(await t.assertUnchanged(id, () => t.retry(id)), refused);
        }
      }
    },

    'a refused cancel leaves the running attempt its lease': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      await t.cancel(job.id);
      assert.equal((await t.settle(lease, succeeded(1))).status, 'settled');
    },

    'retries a dead job with its attempts anew, due now, its history kept': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 2 }, runAt: 5, idempotencyKey: 'k' });
      await t.settle((await t.claimOne()).lease, failed(0, 'one'));
      await t.settle((await t.claimOne()).lease, died('two'));
      const before = await t.job(id);
      const history = await t.attempts(id);
      await t.advance(1000);
      assert.deepEqual(await t.retry(id), { status: 'changed', state: 'pending' });
      assert.deepEqual(await t.job(id), {
        ...before,
        state: 'pending',
        attempt: 0,
        runAt: t.now(),
        startedAt: null,
        finishedAt: null,
        workerId: null,
        error: null,
      });
      assert.deepEqual(await t.attempts(id), history);
      const { job, lease } = await t.claimOne();
      assert.deepEqual([job.id, job.attempt], [id, 1]);
      await t.settle(lease, died('three'));
      const numbers = (await t.attempts(id)).map(({ attempt, error }) => [attempt, error.message]);
      assert.deepEqual(numbers, [
        [1, 'one'],
        [2, 'two'],
        [1, 'three'],
      ]);
    },

    'a settle of an attempt before the retry is fenced once a later one has settled': async (t) => {
      const id = await t.enqueueOne();
      const first = await t.claimOne();
      await t.settle(first.lease, died());
      await t.retry(id);
      const second = await t.claimOne();
      assert.equal(second.job.attempt, first.job.attempt);
      await t.assertUnchanged(id, () => t.settle(first.lease, succeeded('late')));
      await t.settle(second.lease, succeeded(1));
      assert.deepEqual(await t.settle(first.lease, died()), LEASE_LOST);
    },

    'answers by position, also for jobs that are not there': async (t) => {
      const [a, b] = (await t.enqueue({}, {})) as [string, string];
      const jobIds = [a, t.nextId(), b];
      const changed = { status: 'changed', state: 'cancelled' };
      assert.deepEqual(await t.storage.retry({ jobIds }), [
        { status: 'refused', state: 'pending' },
        { status: 'not_found' },
        { status: 'refused', state: 'pending' },
      ]);
      assert.deepEqual(await t.storage.cancel({ jobIds, isRunningIncluded: false }), [
        changed,
        { status: 'not_found' },
        changed,
      ]);
      assert.deepEqual(await t.storage.cancel({ jobIds: [], isRunningIncluded: false }), []);
      assert.deepEqual(await t.storage.retry({ jobIds: [] }), []);
    },

    'takes an id that comes twice one after the other': async (t) => {
      const id = await t.enqueueOne();
      assert.deepEqual(await t.storage.cancel({ jobIds: [id, id], isRunningIncluded: false }), [
        { status: 'changed', state: 'cancelled' },
        { status: 'refused', state: 'cancelled' },
      ]);
      const dead = await t.enqueueIn('dead');
      assert.deepEqual(await t.storage.retry({ jobIds: [dead, dead] }), [
        { status: 'changed', state: 'pending' },
        { status: 'refused', state: 'pending' },
      ]);
    },

    'gives one of a concurrent cancel and claim the job, never both': async (t) => {
      const ids = await t.enqueue(...Array.from({ length: 40 }, () => ({})));
      const [claims, cancels] = await Promise.all([
        Promise.all(Array.from({ length: 8 }, () => t.claimIds({ limit: 3 }))),
        Promise.all(ids.map((id) => t.cancel(id))),
      ]);
      const claimed = claims.flat();
      const cancelled = ids.filter((_, i) => cancels[i]?.status === 'changed');
      assert.deepEqual([...claimed, ...cancelled].sort(), [...ids].sort());
    },
  },
};
