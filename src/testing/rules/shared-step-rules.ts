import assert from 'node:assert/strict';
import type { Storage } from '../../core/storage.ts';
import { collectHints, isFinishedHint, isSignalsHint, isWorkHint } from '../hint-collector.ts';
import { RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { awaiting, newStep, readAllSignals, readAllSteps, StepContext } from '../step-context.ts';

export const sharedStepRules: RuleGroup = {
  topic: 'steps, suspensions and signals between several storages',
  needs: 'isShared',
  rules: {
    'see what the others recorded and sent as soon as it has resolved': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      await s.record(lease, 0, newStep('a'));
      await other.recordSteps({ recordings: [{ lease, from: 1, steps: [newStep('b')] }] });
      await s.signal(job.id);
      await other.signal({ signals: [s.newSignal(job.id, { name: 'from there' })] });
      for (const storage of [t.storage, other]) {
        assert.equal((await readAllSteps(storage, job.id, 10)).length, 2);
        assert.equal((await readAllSignals(storage, job.id, 10)).length, 2);
      }
      await s.requestStop(job.id);
      assert.deepEqual(await other.extendLeases({ leases: [lease], leaseMs: 1000 }), ['cancel_requested']);
      const [settled] = await other.settle({ settlements: [{ lease, outcome: RELEASED }] });
      assert.equal(settled?.status === 'settled' && settled.state, 'cancelled');
    },

    'wake what the others suspended, and tell them': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      const awaited = await s.start('awaited');
      const [a, b] = [await s.start('a'), await s.start('b')];
      await s.awaitJobs(a.lease, awaited.job.id);
      await s.suspend(b.lease, { signalsSeen: 0 });
      const hints = collectHints(t.storage);
      await other.settle({ settlements: [{ lease: awaited.lease, outcome: succeeded(1) }] });
      await hints.until(t, isWorkHint('a'));
      await hints.until(t, isFinishedHint(awaited.job.id));
      await other.signal({ signals: [s.newSignal(b.job.id)] });
      await hints.until(t, isWorkHint('b'));
      assert.deepEqual(await t.claimIds({ names: ['a', 'b'] }), [a.job.id, b.job.id]);
    },

    'hear of children, signals and stop requests from each other': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      const [a, b] = [await s.start('a'), await s.start('b')];
      const hints = collectHints(other);
      await s.recordChild(a.lease, 0, t.newJob({ name: 'child' }));
      await hints.until(t, isWorkHint('child'));
      await s.signal(a.job.id);
      await hints.until(t, isSignalsHint(a.job.id));
      await s.requestStop(b.job.id);
      await hints.until(t, isSignalsHint(b.job.id));
      hints.stop();
    },

    'fence the recordings of each other': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent', {}, 10);
      await t.advance(10);
      await other.reclaimExpired({ limit: 1 });
      const child = t.newJob({ name: 'child' });
      assert.deepEqual(await s.record(lease, 0, newStep('late', child)), { status: 'lease_lost' });
      assert.deepEqual(await s.steps(job.id), []);
      assert.deepEqual(await other.getJobs({ jobIds: [child.id] }), [null]);
    },

    'let one call win the key of a child': async (t) => {
      const storages = [t.storage, await t.openAnother(), await t.openAnother()];
      const s = new StepContext(t);
      const parents = await Promise.all(storages.map((_, i) => s.start(`parent-${i}`)));
      const child = () => t.newJob({ name: 'child', idempotencyKey: 'race' });
      const calls = parents.map(async ({ lease }, i) => {
        const recordings = [{ lease, from: 0, steps: [newStep('call', child())] }];
        const [result] = await (storages[i] as Storage).recordSteps({ recordings });
        return result?.status === 'recorded' ? result.jobIds[0] : null;
      });
      const direct = t.enqueueOne(child());
      const ids = new Set([...(await Promise.all(calls)), await direct]);
      assert.equal(ids.size, 1);
      assert.deepEqual((await t.list({ names: ['child'] })).ids, [...ids]);
    },

    'miss no end that comes at the same time as the suspension': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const parent = await s.start('parent');
        const child = await s.startChild(parent.lease, 0, 'child');
        await Promise.all([
          t.storage.settle({ settlements: [awaiting(parent.lease, child.job.id)] }),
          other.settle({ settlements: [{ lease: child.lease, outcome: succeeded(1) }] }),
        ]);
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), [parent.job.id]);
      }
    },

    'miss no signal that comes at the same time as the suspension': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const { job, lease } = await s.start('task');
        await Promise.all([
          s.suspend(lease, { signalsSeen: 0 }),
          other.signal({ signals: [s.newSignal(job.id), s.newSignal(job.id)] }),
        ]);
        assert.deepEqual(await t.claimIds(), [job.id]);
      }
    },

    'end one of two that come to wait for each other at the same time': async (t) => {
      const other = await t.openAnother();
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const [a, b] = [await s.start('a'), await s.start('b')];
        await Promise.all([
          s.awaitJobs(a.lease, b.job.id),
          other.settle({ settlements: [awaiting(b.lease, a.job.id)] }),
        ]);
        assert.deepEqual([await stateOf(t, a.job.id), await stateOf(t, b.job.id)].sort(), ['dead', 'pending']);
        const woken = await t.claim({ names: ['a', 'b'] });
        assert.equal(woken.length, 1);
        for (const { lease } of woken) await t.settle(lease, succeeded(1));
      }
    },
  },
};

async function stateOf(t: RuleContext, jobId: string): Promise<string> {
  return (await t.job(jobId)).state;
}
