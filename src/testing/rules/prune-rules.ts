import assert from 'node:assert/strict';
import { FINISHED_STATES, JOB_STATES } from '../../core/job.ts';
import { failed } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, StepContext } from '../step-context.ts';

export const pruneRules: RuleGroup = {
  topic: 'prune',
  needs: null,
  rules: {
    'deletes jobs of the one state only': async (t) => {
      for (const pruned of FINISHED_STATES) {
        const ids = new Map<string, string>();
        for (const state of JOB_STATES) {
          ids.set(state, await t.enqueueIn(state, { name: `${pruned}-${state}` }));
        }
        await t.advance(1);
        assert.deepEqual(await t.storage.prune({ state: pruned, olderThanMs: 0, limit: 100 }), {
          pruned: 1,
          hasMore: false,
        });
        const stored = await t.storage.getJobs({ jobIds: [...ids.values()] });
        assert.deepEqual(
          stored.map((job) => job?.state ?? null),
          JOB_STATES.map((state) => (state === pruned ? null : state)),
        );
        for (const state of FINISHED_STATES) await t.storage.prune({ state, olderThanMs: 0, limit: 100 });
      }
    },

    'deletes only what finished longer ago than asked': async (t) => {
      const id = await t.enqueueIn('success');
      await t.advance(100);
      const young = await t.enqueueIn('success');
      assert.equal((await t.storage.prune({ state: 'success', olderThanMs: 100, limit: 10 })).pruned, 0);
      await t.advance(1);
      assert.equal((await t.storage.prune({ state: 'success', olderThanMs: 100, limit: 10 })).pruned, 1);
      const stored = await t.storage.getJobs({ jobIds: [id, young] });
      assert.deepEqual(
        stored.map((job) => job?.id ?? null),
        [null, young],
      );
    },

    'goes by when a job finished, not by when it was made or due': async (t) => {
      const id = await t.enqueueOne({ runAt: 0 });
      await t.advance(1000);
      const { lease } = await t.claimOne();
      await t.settle(lease, { kind: 'success', result: null });
      await t.advance(10);
      assert.equal((await t.storage.prune({ state: 'success', olderThanMs: 500, limit: 10 })).pruned, 0);
      assert.equal((await t.job(id)).state, 'success');
    },

    'deletes up to the limit and says when there is more': async (t) => {
      for (let i = 0; i < 7; i++) await t.enqueueIn('cancelled');
      await t.advance(1);
      const prune = () => t.storage.prune({ state: 'cancelled', olderThanMs: 0, limit: 3 });
      assert.deepEqual(await prune(), { pruned: 3, hasMore: true });
      assert.deepEqual(await prune(), { pruned: 3, hasMore: true });
      assert.deepEqual(await prune(), { pruned: 1, hasMore: false });
      assert.deepEqual(await prune(), { pruned: 0, hasMore: false });
      assert.equal((await t.list()).total, 0);
    },

    'leaves no trace of a job': async (t) => {
      const id = await t.enqueueOne({ idempotencyKey: 'k' });
      await t.settle((await t.claimOne()).lease, failed(0));
      await t.settle((await t.claimOne()).lease, { kind: 'success', result: null });
      await t.advance(1);
      await t.storage.prune({ state: 'success', olderThanMs: 0, limit: 1 });
      assert.deepEqual(await t.storage.getJobs({ jobIds: [id] }), [null]);
      assert.deepEqual(await t.attempts(id), []);
      assert.deepEqual(await t.storage.counts(), []);
      assert.equal((await t.list()).total, 0);
      assert.deepEqual(await t.storage.cancel({ jobIds: [id], isRunningIncluded: false }), [{ status: 'not_found' }]);
      assert.deepEqual(await t.storage.retry({ jobIds: [id] }), [{ status: 'not_found' }]);
    },

    'lets a pruned id be stored anew, with nothing of the old job': async (t) => {
      const job = t.newJob({ idempotencyKey: 'k' });
      await t.storage.enqueue({ jobs: [job] });
      await t.settle((await t.claimOne()).lease, failed(0));
      await t.cancel(job.id);
      await t.advance(1);
      await t.storage.prune({ state: 'cancelled', olderThanMs: 0, limit: 1 });
      await t.storage.enqueue({ jobs: [job] });
      assert.deepEqual(await t.attempts(job.id), []);
      const { attempt, state, error } = await t.job(job.id);
      assert.deepEqual([attempt, state, error], [0, 'pending', null]);
    },

    'forgets the steps and signals of a job, which a new one of its id does not have': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.record(lease, 0, newStep('old'), newStep('old too'));
      const signal = s.newSignal(job.id);
      await t.storage.signal({ signals: [signal] });
      await t.settle(lease, { kind: 'success', result: null });
      await t.advance(1);
      await t.storage.prune({ state: 'success', olderThanMs: 0, limit: 1 });
      const read = async () => [await s.steps(job.id), await s.signals(job.id)];
      assert.deepEqual(await read(), [[], []]);
      assert.deepEqual(await t.storage.signal({ signals: [signal] }), [{ status: 'not_found' }]);
      await t.enqueueOne({ id: job.id });
      assert.deepEqual(await read(), [[], []]);
      const again = await t.claimOne();
      assert.deepEqual([again.job.stepCount, again.job.signalCount], [0, 0]);
      await s.record(again.lease, 0, newStep('new'));
      assert.deepEqual(await t.storage.signal({ signals: [signal] }), [{ status: 'stored' }]);
      assert.deepEqual([await s.texts(job.id), (await s.signals(job.id)).length], [['new'], 1]);
    },

    'passes over a dead job that was retried': async (t) => {
      const id = await t.enqueueIn('dead');
      await t.advance(10);
      await t.retry(id);
      assert.equal((await t.storage.prune({ state: 'dead', olderThanMs: 0, limit: 10 })).pruned, 0);
      assert.equal((await t.job(id)).state, 'pending');
    },

    'deletes each job once however many prune': async (t) => {
      for (let i = 0; i < 20; i++) await t.enqueueIn('dead');
      await t.advance(1);
      const prunes = Array.from({ length: 8 }, () => t.storage.prune({ state: 'dead', olderThanMs: 0, limit: 4 }));
      const together = (await Promise.all(prunes)).reduce((sum, { pruned }) => sum + pruned, 0);
      assert.equal(together + (await t.pruneAll('dead', 4)), 20);
    },
  },
};
