import assert from 'node:assert/strict';
import type { EnqueueResult, NewJob } from '../../core/storage.ts';
import { collectHints, isWorkHint } from '../hint-collector.ts';
import type { RuleContext } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import type { OpenTransaction } from '../storage-harness.ts';

function enqueueIn({ transaction }: OpenTransaction, t: RuleContext, ...jobs: NewJob[]): Promise<EnqueueResult[]> {
  return t.storage.enqueueInTransaction({ jobs, transaction });
}

export const transactionRules: RuleGroup = {
  topic: 'enqueue in a transaction of the caller',
  needs: 'isTransactional',
  rules: {
    'stores the job when the transaction commits, and not before': async (t) => {
      const open = await t.begin();
      const job = t.newJob({ name: 'task', priority: 3, runAt: 5 });
      assert.deepEqual(await enqueueIn(open, t, job), [{ jobId: job.id, deduplicated: false }]);
      assert.deepEqual(await t.storage.getJobs({ jobIds: [job.id] }), [null]);
      assert.deepEqual(await t.claimIds(), []);
      assert.deepEqual(await t.storage.counts(), []);
      await open.commit();
      const { state, priority, runAt, createdAt } = await t.job(job.id);
      assert.deepEqual([state, priority, runAt, createdAt], ['pending', 3, 5, t.now()]);
      assert.deepEqual(
        (await t.storage.counts()).map(({ pending }) => pending),
        [1],
      );
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'leaves no trace when the transaction rolls back, and its key is free': async (t) => {
      const open = await t.begin();
      const job = t.newJob({ idempotencyKey: 'k' });
      await enqueueIn(open, t, job, t.newJob());
      await open.rollback();
      assert.deepEqual(await t.storage.getJobs({ jobIds: [job.id] }), [null]);
      assert.deepEqual(await t.storage.counts(), []);
      assert.equal((await t.list()).total, 0);
      const again = t.newJob({ idempotencyKey: 'k' });
      assert.deepEqual(await t.storage.enqueue({ jobs: [again] }), [{ jobId: again.id, deduplicated: false }]);
    },

    'gives the job that already has the key': async (t) => {
      const first = await t.enqueueOne({ idempotencyKey: 'k' });
      const open = await t.begin();
      const [fresh, known] = [t.newJob(), t.newJob({ idempotencyKey: 'k' })];
      assert.deepEqual(await enqueueIn(open, t, fresh, known), [
        { jobId: fresh.id, deduplicated: false },
        { jobId: first, deduplicated: true },
      ]);
      await open.commit();
      assert.equal((await t.list()).total, 2);
    },

    'takes a repeated id in one transaction for a repeat of the same call': async (t) => {
      const open = await t.begin();
      const job = t.newJob();
      await enqueueIn(open, t, job);
      assert.deepEqual(await enqueueIn(open, t, job), [{ jobId: job.id, deduplicated: false }]);
      await open.commit();
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'lets one of a transaction and a call win a key': async (t) => {
      const open = await t.begin();
      const inside = t.newJob({ idempotencyKey: 'race' });
      const outside = t.newJob({ idempotencyKey: 'race' });
      await enqueueIn(open, t, inside);
      const waiting = t.storage.enqueue({ jobs: [outside] });
      await open.commit();
      assert.deepEqual(await waiting, [{ jobId: inside.id, deduplicated: true }]);
      assert.equal((await t.list()).total, 1);
    },

    'lets the call win a key when the transaction rolls back': async (t) => {
      const open = await t.begin();
      const outside = t.newJob({ idempotencyKey: 'race' });
      await enqueueIn(open, t, t.newJob({ idempotencyKey: 'race' }));
      const waiting = t.storage.enqueue({ jobs: [outside] });
      await open.rollback();
      assert.deepEqual(await waiting, [{ jobId: outside.id, deduplicated: false }]);
      assert.deepEqual(await t.claimIds(), [outside.id]);
    },

    'hints at the work when the transaction commits': async (t) => {
      const hints = collectHints(t.storage);
      const open = await t.begin();
      await enqueueIn(open, t, t.newJob({ name: 'mail' }));
      await t.advance(100);
      assert.ok(!hints.hints.some(isWorkHint('mail')));
      await open.commit();
      await hints.until(t, isWorkHint('mail'));
    },

    'has its job claimed however long the transaction took, and whatever was claimed meanwhile': async (t) => {
      const hints = collectHints(t.storage);
      const open = await t.begin();
      const job = t.newJob();
      await enqueueIn(open, t, job);
      for (let i = 0; i < 5; i++) {
        const id = await t.enqueueOne();
        assert.deepEqual(await t.claimIds(), [id]);
        await t.advance(5000);
      }
      await open.commit();
      await hints.until(t, isWorkHint('task'));
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'answers an empty batch with nothing': async (t) => {
      const open = await t.begin();
      assert.deepEqual(await enqueueIn(open, t), []);
      await open.rollback();
    },
  },
};
