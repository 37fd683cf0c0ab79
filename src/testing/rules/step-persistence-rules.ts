import assert from 'node:assert/strict';
import type { RuleContext } from '../rule-context.ts';
import { died, failed, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, payloadOf, StepContext } from '../step-context.ts';

/** All that can be read of jobs and of what they remember. */
async function readEverything(t: RuleContext): Promise<unknown> {
  const s = new StepContext(t);
  const { jobs } = await t.list();
  const read = jobs.map(async ({ id }) => [await t.job(id), await s.steps(id), await s.signals(id)]);
  return Promise.all(read);
}

export const stepPersistenceRules: RuleGroup = {
  topic: 'persistence of steps, suspensions and signals',
  needs: 'isPersistent',
  rules: {
    'gives back everything as it was after it was closed and opened': async (t) => {
      const s = new StepContext(t);
      const parent = await s.start('parent');
      const child = await s.startChild(parent.lease, 0, 'child');
      await s.record(parent.lease, 1, newStep('a'), newStep('b', t.newJob({ name: 'other' })));
      for (const payload of [payloadOf(['x']), null]) await s.signal(parent.job.id, { payload });
      await s.requestStop(child.job.id);
      await s.suspend((await s.start('sleeper')).lease, { wakeAt: t.now() + 77.25 });
      await s.suspend((await s.start('waiter')).lease, { awaits: [child.job.id], signalsSeen: 3 });
      await s.awaitJobs((await s.start('woken')).lease, t.nextId());
      const before = await readEverything(t);
      await t.reopen();
      assert.deepEqual(await readEverything(t), before);
      await t.reopen();
      assert.deepEqual(await readEverything(t), before);
    },

    'goes on recording where it was, and knows the repeat of a recording': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const child = t.newJob({ name: 'child', idempotencyKey: 'k' });
      const first = await s.record(lease, 0, newStep('a'), newStep('b', child));
      await t.reopen();
      assert.deepEqual(await s.record(lease, 0, newStep('a'), newStep('b', child)), first);
      assert.deepEqual(await s.record({ ...lease, token: t.nextToken() }, 2, newStep('c')), { status: 'lease_lost' });
      assert.deepEqual(await s.record(lease, 3, newStep('c')), { status: 'lease_lost' });
      assert.equal(await s.recordChild(lease, 2, t.newJob({ name: 'child', idempotencyKey: 'k' })), child.id);
      assert.deepEqual(await s.texts(job.id), ['a', 'b', 'calls child']);
      assert.deepEqual((await t.list({ parentId: job.id })).ids, [child.id]);
    },

    'wakes what was suspended before: by a job, a signal or time': async (t) => {
      const s = new StepContext(t);
      const awaited = await s.start('awaited');
      const [byJob, bySignal, byTime] = [await s.start('a'), await s.start('b'), await s.start('c')];
      await s.awaitJobs(byJob.lease, awaited.job.id);
      await s.signal(bySignal.job.id);
      await s.suspend(bySignal.lease, { signalsSeen: 1 });
      await s.suspend(byTime.lease, { wakeAt: t.now() + 100 });
      await t.reopen();
      const claim = () => t.claimIds({ names: ['a', 'b', 'c'] });
      assert.deepEqual(await claim(), []);
      await t.settle(awaited.lease, succeeded(1));
      assert.deepEqual(await claim(), [byJob.job.id]);
      await s.signal(bySignal.job.id);
      assert.deepEqual(await claim(), [bySignal.job.id]);
      await t.advance(100);
      const [resumed] = await t.claim({ names: ['a', 'b', 'c'] });
      assert.deepEqual([resumed?.job.id, resumed?.job.isResumed], [byTime.job.id, true]);
    },

    'sees circles through what was suspended before, and ends that were then': async (t) => {
      const s = new StepContext(t);
      const [a, b, c] = [await s.start('a'), await s.start('b'), await s.start('c')];
      const ended = await t.enqueueIn('dead');
      await s.awaitJobs(a.lease, b.job.id);
      await t.reopen();
      assert.equal((await s.awaitJobs(c.lease, ended)).status, 'settled');
      assert.equal(await s.isWoken(c.job.id), true);
      await s.awaitJobs(b.lease, a.job.id);
      assert.equal((await t.job(b.job.id)).state, 'dead');
      assert.equal(await s.isWoken(a.job.id), true);
    },

    'knows the signals that were sent, and the repeat of a suspension': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      const signal = s.newSignal(job.id);
      await t.storage.signal({ signals: [signal] });
      const first = await s.suspend(lease, { signalsSeen: 1 });
      await t.reopen();
      await t.storage.signal({ signals: [signal] });
      assert.equal((await s.signals(job.id)).length, 1);
      assert.deepEqual(await t.assertUnchanged(job.id, () => t.settle(lease, died())), first);
      await s.signal(job.id, { name: 'second' });
      assert.deepEqual(await s.signalNames(job.id), ['go', 'second']);
    },

    'knows who was asked to stop': async (t) => {
      const s = new StepContext(t);
      const [failing, lost] = [await s.start('a'), await s.start('b', {}, 100)];
      await s.requestStop(failing.job.id);
      await s.requestStop(lost.job.id);
      await t.reopen();
      const leases = [failing.lease, lost.lease];
      const statuses = await t.storage.extendLeases({ leases, leaseMs: 100 });
      assert.deepEqual(statuses, ['cancel_requested', 'cancel_requested']);
      await t.settle(failing.lease, failed(0));
      await t.advance(100);
      assert.equal((await t.storage.reclaimExpired({ limit: 1 })).jobs[0]?.state, 'cancelled');
      assert.equal((await t.job(failing.job.id)).state, 'cancelled');
    },

    'keeps children of live parents, and forgets what was pruned': async (t) => {
      const s = new StepContext(t);
      const parent = await s.start('parent');
      const child = await s.startChild(parent.lease, 0, 'child');
      await s.record(child.lease, 0, newStep('a'));
      await s.signal(child.job.id);
      await t.settle(child.lease, succeeded(1));
      await t.advance(1);
      await t.reopen();
      assert.equal(await t.pruneAll('success', 10), 0);
      await t.settle(parent.lease, RELEASED);
      await t.cancel(parent.job.id);
      await t.reopen();
      assert.equal(await t.pruneAll('success', 10), 1);
      await t.reopen();
      await t.enqueueOne({ id: child.job.id, name: 'child' });
      assert.deepEqual([await s.steps(child.job.id), await s.signals(child.job.id)], [[], []]);
    },
  },
};
