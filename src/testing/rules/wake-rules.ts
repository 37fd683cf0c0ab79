import assert from 'node:assert/strict';
import { NEVER_DUE } from '../../core/options.ts';
import { collectHints, isFinishedHint, isWorkHint } from '../hint-collector.ts';
import { type Claimed, died, failed, RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { awaiting, StepContext, suspended } from '../step-context.ts';

/** Every way in which the running job can end, by a name for it. */
const ENDS: Readonly<Record<string, (t: RuleContext, awaited: Claimed) => Promise<unknown>>> = {
  success: (t, { lease }) => t.settle(lease, succeeded(1)),
  dead: (t, { lease }) => t.settle(lease, died()),
  'cancelled while pending': async (t, { job, lease }) => {
    await t.settle(lease, failed(1000));
    assert.equal((await t.cancel(job.id)).status, 'changed');
  },
  'stopped as it was asked to': async (t, { job, lease }) => {
    await new StepContext(t).requestStop(job.id);
    await t.settle(lease, RELEASED);
  },
  'lost at its last attempt': async (t) => {
    await t.advance(1000);
    assert.equal((await t.storage.reclaimExpired({ limit: 1 })).jobs[0]?.state, 'dead');
  },
  'lost after it was asked to stop': async (t, { job }) => {
    await new StepContext(t).requestStop(job.id);
    await t.advance(1000);
    assert.equal((await t.storage.reclaimExpired({ limit: 1 })).jobs[0]?.state, 'cancelled');
  },
};

export const wakeRules: RuleGroup = {
  topic: 'waking',
  needs: null,
  rules: {
    'wakes a job when one that it awaits has ended, however it did': async (t) => {
      const s = new StepContext(t);
      for (const [how, end] of Object.entries(ENDS)) {
        const parent = await s.start('parent');
        const awaited = await s.start('awaited', { options: { maxAttempts: 1 } }, 1000);
        await s.awaitJobs(parent.lease, awaited.job.id);
        const before = await t.job(parent.job.id);
        assert.deepEqual([before.isSuspended, before.runAt], [true, NEVER_DUE]);
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), []);
        await t.advance(1);
        const hints = collectHints(t.storage);
        await end(t, awaited);
        assert.deepEqual(await t.job(parent.job.id), { ...before, runAt: t.now() }, how);
        await hints.until(t, isWorkHint('parent'));
        await hints.until(t, isFinishedHint(awaited.job.id));
        hints.stop();
        await t.settle((await t.claimOne({ names: ['parent'] })).lease, succeeded(1));
      }
    },

    'is due at once if what it awaits has ended already, or is not there': async (t) => {
      const s = new StepContext(t);
      const running = await s.start('running');
      const ended = [
        await t.enqueueIn('success', { name: 'a' }),
        await t.enqueueIn('dead', { name: 'b' }),
        await t.enqueueIn('cancelled', { name: 'c' }),
        t.nextId(),
      ];
      for (const id of ended) {
        for (const awaits of [[id], [running.job.id, id]]) {
          const { job, lease } = await s.start('parent');
          const hints = collectHints(t.storage);
          await t.advance(1);
          const answer = await s.suspend(lease, { awaits, wakeAt: t.now() + 500 });
          assert.deepEqual(answer, { status: 'settled', state: 'pending', runAt: t.now() });
          assert.equal(await s.isWoken(job.id), true);
          await hints.until(t, isWorkHint('parent'));
          hints.stop();
          assert.deepEqual(await t.claimIds({ names: ['parent'] }), [job.id]);
        }
      }
    },

    'waits on while what it awaits fails, is released, suspended, lost or retried': async (t) => {
      const s = new StepContext(t);
      const awaited = await t.enqueueOne({ options: { maxAttempts: 9 } });
      const parent = await s.start('parent');
      await s.awaitJobs(parent.lease, awaited);
      for (const outcome of [failed(0), RELEASED, suspended({ wakeAt: 0 }), null]) {
        const { lease } = await t.claimOne({ leaseMs: 10 });
        if (outcome !== null) await t.settle(lease, outcome);
        await t.advance(10);
        await t.storage.reclaimExpired({ limit: 1 });
        assert.equal(await s.isWoken(parent.job.id), false, outcome?.kind);
      }
      await t.settle((await t.claimOne()).lease, died());
      assert.equal(await s.isWoken(parent.job.id), true);
    },

    'is woken neither by other jobs nor, where it does not wait for them, by signals': async (t) => {
      const s = new StepContext(t);
      const awaited = await s.start('awaited');
      const { job, lease } = await s.start('parent');
      const child = await s.startChild(lease, 0, 'child');
      await s.awaitJobs(lease, awaited.job.id);
      await t.settle(child.lease, succeeded(1));
      await t.enqueueIn('dead');
      await t.enqueueIn('cancelled');
      await s.signal(job.id);
      await s.signal(awaited.job.id);
      assert.equal(await s.isWoken(job.id), false);
      assert.equal((await t.job(job.id)).signalCount, 1);
      assert.deepEqual(await t.claimIds({ names: ['parent'] }), []);
    },

    'is woken by the first of what it waits for: a job, a signal or time': async (t) => {
      const s = new StepContext(t);
      for (const first of ['job', 'other job', 'signal', 'time']) {
        const [a, b] = [await s.start('a'), await s.start('b')];
        const { job, lease } = await s.start('parent');
        const suspension = { awaits: [a.job.id, b.job.id], signalsSeen: 0, wakeAt: t.now() + 100 };
        await s.suspend(lease, suspension);
        assert.equal((await t.job(job.id)).runAt, suspension.wakeAt);
        await t.advance(first === 'time' ? 100 : 50);
        if (first === 'job') await t.settle(a.lease, succeeded(1));
        if (first === 'other job') await t.settle(b.lease, died());
        if (first === 'signal') await s.signal(job.id);
        const woken = await t.job(job.id);
        assert.equal(woken.runAt, t.now(), first);
        // What comes later moves its due time no more.
        await t.advance(10);
        await s.signal(job.id);
        for (const { lease: held } of [a, b]) await t.settle(held, succeeded(1));
        assert.equal((await t.job(job.id)).runAt, woken.runAt, first);
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), [job.id]);
      }
    },

    'wakes each of many that await one job': async (t) => {
      const s = new StepContext(t);
      const awaited = await s.start('awaited');
      await t.enqueue(...Array.from({ length: 60 }, () => ({ name: 'parent' })));
      const parents = await t.claim({ names: ['parent'] });
      await t.storage.settle({ settlements: parents.map(({ lease }) => awaiting(lease, awaited.job.id)) });
      const other = await s.start('other');
      await s.awaitJobs(other.lease, parents[0]?.job.id as string);
      await t.settle(awaited.lease, succeeded(1));
      assert.deepEqual(
        await t.claimIds({ names: ['parent', 'other'] }),
        parents.map(({ job }) => job.id),
      );
    },

    'wakes one that awaits very many jobs, by the last of them': async (t) => {
      const s = new StepContext(t);
      const ids = await t.enqueue(...Array.from({ length: 500 }, () => ({ name: 'child' })));
      const { job, lease } = await s.start('parent');
      await s.awaitJobs(lease, ...ids);
      assert.equal(await s.isWoken(job.id), false);
      await t.cancel(ids.at(-1) as string);
      assert.equal(await s.isWoken(job.id), true);
      await s.awaitJobs((await t.claimOne({ names: ['parent'] })).lease, ...ids.slice(0, -1), ids[0] as string);
      assert.equal(await s.isWoken(job.id), false);
      await t.cancel(ids[0] as string);
      assert.equal(await s.isWoken(job.id), true);
    },

    'wakes a chain link by link': async (t) => {
      const s = new StepContext(t);
      const links: Claimed[] = [];
      for (let i = 0; i < 6; i++) links.push(await s.start(`link-${i}`));
      for (let i = 1; i < links.length; i++) await s.awaitJobs(leaseOf(links, i), (links[i - 1] as Claimed).job.id);
      await t.settle(leaseOf(links, 0), succeeded(1));
      for (let i = 1; i < links.length; i++) {
        const [woken, ...more] = await t.claim({ names: links.map(({ job }) => job.name) });
        assert.deepEqual([woken?.job.name, more], [`link-${i}`, []]);
        await t.settle((woken as Claimed).lease, succeeded(i));
      }
    },

    'the first of two settlements of one lease in a batch stands where others wait for the job': async (t) => {
      const s = new StepContext(t);
      for (const [first, state] of [
        [succeeded(1), 'success'],
        [died(), 'dead'],
        [suspended(), 'pending'],
        [failed(500), 'pending'],
      ] as const) {
        const parent = await s.start('parent');
        const { job, lease } = await s.start('awaited');
        await s.awaitJobs(parent.lease, job.id);
        const outcomes = [first, state === 'success' ? died() : succeeded(2), suspended({ wakeAt: 0 })];
        await t.storage.settle({ settlements: outcomes.map((outcome) => ({ lease, outcome })) });
        assert.equal((await t.job(job.id)).state, state);
        assert.equal(await s.isWoken(parent.job.id), state !== 'pending');
        for (const id of [parent.job.id, job.id]) await t.cancel(id);
      }
    },

    'misses no end that is settled together with the suspension': async (t) => {
      const s = new StepContext(t);
      for (const isChildFirst of [true, false]) {
        const parent = await s.start('parent');
        const child = await s.startChild(parent.lease, 0, 'child');
        const settlements = [{ lease: child.lease, outcome: succeeded(1) }, awaiting(parent.lease, child.job.id)];
        const hints = collectHints(t.storage);
        await t.storage.settle({ settlements: isChildFirst ? settlements : settlements.toReversed() });
        assert.equal(await s.isWoken(parent.job.id), true);
        await hints.until(t, isWorkHint('parent'));
        hints.stop();
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), [parent.job.id]);
      }
    },

    'misses no end that comes at the same time': async (t) => {
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const parent = await s.start('parent');
        const child = await s.startChild(parent.lease, 0, 'child');
        const suspend = () => s.awaitJobs(parent.lease, child.job.id);
        const end = () => t.settle(child.lease, succeeded(1));
        await Promise.all(round % 2 === 0 ? [suspend(), end()] : [end(), suspend()]);
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), [parent.job.id]);
      }
    },

    'misses no signal that comes at the same time': async (t) => {
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const { job, lease } = await s.start('parent');
        const suspend = () => s.suspend(lease, { signalsSeen: 0 });
        const signal = () => s.signal(job.id);
        await Promise.all(round % 2 === 0 ? [suspend(), signal()] : [signal(), suspend()]);
        assert.deepEqual(await t.claimIds({ names: ['parent'] }), [job.id]);
      }
    },
  },
};

function leaseOf(claimed: readonly Claimed[], place: number): Claimed['lease'] {
  return (claimed[place] as Claimed).lease;
}
