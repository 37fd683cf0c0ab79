import assert from 'node:assert/strict';
import { waitCycleError } from '../../core/job.ts';
import { collectHints, isFinishedHint, isWorkHint } from '../hint-collector.ts';
import { type Claimed, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { awaiting, StepContext } from '../step-context.ts';

/** Running jobs, of names of their own. */
async function startJobs(t: RuleContext, count: number): Promise<Claimed[]> {
  const s = new StepContext(t);
  const claimed: Claimed[] = [];
  for (let i = 0; i < count; i++) claimed.push(await s.start(`job-${i}`));
  return claimed;
}

/** A job that does not run, and can go on without other jobs. */
async function startOther(t: RuleContext, s: StepContext, how: 'delayed' | 'due' | 'sleeping' | 'signalled') {
  if (how === 'due') return t.enqueueOne({ name: how });
  if (how === 'delayed') return t.enqueueOne({ name: how, delayMs: 60_000 });
  const { job, lease } = await s.start(how);
  await s.suspend(lease, how === 'sleeping' ? { wakeAt: t.now() + 60_000 } : { signalsSeen: 0 });
  return job.id;
}

/** Checks that the job was ended because it would have waited for itself. */
async function assertEnded(t: RuleContext, { job }: Claimed, before: unknown): Promise<void> {
  const error = waitCycleError(job.id);
  const ended = { state: 'dead', attempt: 1, leaseExpiresAt: null, finishedAt: t.now(), error };
  assert.deepEqual(await t.job(job.id), { ...(before as object), ...ended });
  const { startedAt } = job;
  assert.deepEqual(await t.attempts(job.id), [
    { attempt: 1, outcome: 'failed', workerId: 'worker-1', startedAt, endedAt: t.now(), error },
  ]);
}

export const waitCycleRules: RuleGroup = {
  topic: 'jobs that wait for each other',
  needs: null,
  rules: {
    'ends a job that would wait for itself': async (t) => {
      const s = new StepContext(t);
      const [one] = (await startJobs(t, 1)) as [Claimed];
      const before = await t.job(one.job.id);
      await t.advance(5);
      const answer = await s.awaitJobs(one.lease, one.job.id);
      assert.deepEqual(answer, { status: 'settled', state: 'dead', runAt: before.runAt });
      await assertEnded(t, one, before);
      assert.deepEqual(await t.claimIds({ names: ['job-0'] }), []);
    },

    'ends the second of two jobs that would wait for each other, which wakes the first': async (t) => {
      const s = new StepContext(t);
      const [a, b] = (await startJobs(t, 2)) as [Claimed, Claimed];
      await s.awaitJobs(a.lease, b.job.id);
      const before = await t.job(b.job.id);
      await t.advance(5);
      const hints = collectHints(t.storage);
      const answer = await s.awaitJobs(b.lease, a.job.id);
      assert.deepEqual(answer, { status: 'settled', state: 'dead', runAt: before.runAt });
      await assertEnded(t, b, before);
      assert.equal(await s.isWoken(a.job.id), true);
      await hints.until(t, isFinishedHint(b.job.id));
      await hints.until(t, isWorkHint('job-0'));
    },

    'ends the job that closes a long circle': async (t) => {
      const s = new StepContext(t);
      for (const length of [3, 8]) {
        const jobs = await startJobs(t, length);
        const last = jobs.pop() as Claimed;
        for (const [i, { lease }] of jobs.entries()) await s.awaitJobs(lease, (jobs[i + 1] ?? last).job.id);
        const before = await t.job(last.job.id);
        await s.awaitJobs(last.lease, (jobs[0] as Claimed).job.id);
        await assertEnded(t, last, before);
        for (const [i, { job }] of jobs.entries()) {
          assert.equal(await s.isWoken(job.id), i === jobs.length - 1, `${i} of ${length}`);
          await t.cancel(job.id);
        }
      }
    },

    'sees no circle while one of several that are awaited can still end, and finds it then': async (t) => {
      const s = new StepContext(t);
      const [a, b, c, d] = (await startJobs(t, 4)) as [Claimed, Claimed, Claimed, Claimed];
      await s.awaitJobs(a.lease, c.job.id, b.job.id);
      await s.awaitJobs(b.lease, d.job.id, a.job.id);
      for (const { job } of [a, b]) assert.equal(await s.isWoken(job.id), false);
      await t.settle(d.lease, succeeded(1));
      const goesOn = await t.claimOne({ names: ['job-1'] });
      assert.equal(goesOn.job.id, b.job.id);
      await s.awaitJobs(goesOn.lease, a.job.id);
      assert.equal(await s.isWoken(b.job.id), false);
      await t.settle(c.lease, succeeded(1));
      const closing = await t.claimOne({ names: ['job-0'] });
      assert.equal(closing.job.id, a.job.id);
      const before = await t.job(a.job.id);
      await s.awaitJobs(closing.lease, b.job.id);
      await assertEnded(t, closing, before);
    },

    'sees no circle while another that is awaited runs, and ends that one once it waits in the circle as well': async (
      t,
    ) => {
      const s = new StepContext(t);
      const [parent, b, c] = (await startJobs(t, 3)) as [Claimed, Claimed, Claimed];
      await s.awaitJobs(b.lease, parent.job.id);
      await s.awaitJobs(parent.lease, b.job.id, c.job.id);
      for (const { job } of [parent, b]) assert.equal(await s.isWoken(job.id), false);
      const before = await t.job(c.job.id);
      await s.awaitJobs(c.lease, b.job.id);
      await assertEnded(t, c, before);
      assert.equal(await s.isWoken(parent.job.id), true);
      assert.equal(await s.isWoken(b.job.id), false);
    },

    'sees no circle while the other that is awaited is pending, sleeps or waits for a signal': async (t) => {
      const s = new StepContext(t);
      for (const others of ['delayed', 'due', 'sleeping', 'signalled'] as const) {
        const [parent, b] = (await startJobs(t, 2)) as [Claimed, Claimed];
        const other = await startOther(t, s, others);
        await s.awaitJobs(b.lease, parent.job.id);
        await s.awaitJobs(parent.lease, b.job.id, other);
        for (const { job } of [parent, b]) assert.equal(await s.isWoken(job.id), false, others);
        await t.cancel(other);
        assert.equal(await s.isWoken(parent.job.id), true, others);
        for (const { job } of [parent, b]) await t.cancel(job.id);
      }
    },

    'finds a circle with two ways around once both are closed': async (t) => {
      const s = new StepContext(t);
      const [top, left, right, bottom] = (await startJobs(t, 4)) as [Claimed, Claimed, Claimed, Claimed];
      await s.awaitJobs(top.lease, left.job.id, right.job.id);
      await s.awaitJobs(left.lease, bottom.job.id);
      await s.awaitJobs(bottom.lease, top.job.id);
      for (const { job } of [top, left, bottom]) assert.equal(await s.isWoken(job.id), false);
      const before = await t.job(right.job.id);
      await s.awaitJobs(right.lease, bottom.job.id);
      await assertEnded(t, right, before);
      assert.equal(await s.isWoken(top.job.id), true);
      for (const { job } of [left, bottom]) assert.equal(await s.isWoken(job.id), false);
    },

    'sees no circle while a long chain leads out of it, and finds it once the chain leads back': async (t) => {
      const s = new StepContext(t);
      const [a, b, ...chain] = (await startJobs(t, 10)) as [Claimed, Claimed, ...Claimed[]];
      const last = chain.pop() as Claimed;
      for (const [i, { lease }] of chain.entries()) await s.awaitJobs(lease, (chain[i + 1] ?? last).job.id);
      await s.awaitJobs(a.lease, b.job.id);
      await s.awaitJobs(b.lease, a.job.id, (chain[0] as Claimed).job.id);
      for (const { job } of [a, b, ...chain]) assert.equal(await s.isWoken(job.id), false);
      const before = await t.job(last.job.id);
      await s.awaitJobs(last.lease, a.job.id);
      await assertEnded(t, last, before);
      assert.equal(await s.isWoken((chain.at(-1) as Claimed).job.id), true);
    },

    'sees no circle where time or a signal may wake one of them': async (t) => {
      const s = new StepContext(t);
      for (const exit of [{ wakeAt: t.now() + 60_000 }, { signalsSeen: 0 }]) {
        const [a, b, c] = (await startJobs(t, 3)) as [Claimed, Claimed, Claimed];
        await s.suspend(a.lease, { awaits: [b.job.id], ...exit });
        await s.awaitJobs(b.lease, a.job.id);
        assert.equal(await s.isWoken(b.job.id), false);
        await s.suspend(c.lease, { awaits: [c.job.id, b.job.id], ...exit });
        assert.equal(await s.isWoken(c.job.id), false);
        await s.signal(a.job.id);
        if (exit.wakeAt !== undefined) await t.advance(60_000);
        assert.equal(await s.isWoken(a.job.id), true);
        for (const { job } of [a, b, c]) await t.cancel(job.id);
      }
    },

    'sees no circle in a chain, in a diamond, or with one that runs': async (t) => {
      const s = new StepContext(t);
      const [a, b, c, d, e] = (await startJobs(t, 5)) as [Claimed, Claimed, Claimed, Claimed, Claimed];
      await s.awaitJobs(b.lease, a.job.id);
      await s.awaitJobs(c.lease, a.job.id, b.job.id);
      await s.awaitJobs(d.lease, b.job.id, c.job.id);
      await s.awaitJobs(e.lease, d.job.id, d.job.id, a.job.id);
      for (const { job } of [b, c, d, e]) assert.equal(await s.isWoken(job.id), false);
      await t.settle(a.lease, succeeded(1));
      for (const { job } of [b, c, e]) assert.equal(await s.isWoken(job.id), true);
    },

    'sees no circle through one that has been woken, runs again, or waits for others by now': async (t) => {
      const s = new StepContext(t);
      const [a, b, c] = (await startJobs(t, 3)) as [Claimed, Claimed, Claimed];
      await s.awaitJobs(a.lease, b.job.id, c.job.id);
      await t.settle(c.lease, succeeded(1));
      await s.suspend(b.lease, { awaits: [a.job.id] });
      assert.equal(await s.isWoken(b.job.id), false, 'a has been woken');
      const again = await t.claimOne({ names: ['job-0'] });
      await t.cancel(b.job.id);
      const d = await s.start('job-3');
      await s.awaitJobs(d.lease, a.job.id);
      assert.equal(await s.isWoken(d.job.id), false, 'a runs again');
      const e = await s.start('job-4');
      await s.awaitJobs(again.lease, e.job.id);
      const f = await s.start('job-5');
      await s.awaitJobs(f.lease, a.job.id);
      assert.equal(await s.isWoken(f.job.id), false, 'a waits for another job by now');
    },

    'a parent that waits for its child is no circle, a child that waits for its parent then is': async (t) => {
      const s = new StepContext(t);
      const parent = await s.start('parent');
      const child = await s.startChild(parent.lease, 0, 'child');
      await s.awaitJobs(parent.lease, child.job.id);
      assert.equal(await s.isWoken(parent.job.id), false);
      const answer = await s.awaitJobs(child.lease, parent.job.id);
      assert.equal(answer.status === 'settled' && answer.state, 'dead');
      assert.equal(await s.isWoken(parent.job.id), true);
    },

    'ends one of two that come to wait for each other in one call': async (t) => {
      const s = new StepContext(t);
      const [a, b] = (await startJobs(t, 2)) as [Claimed, Claimed];
      await t.storage.settle({ settlements: [awaiting(a.lease, b.job.id), awaiting(b.lease, a.job.id)] });
      await assertOneEnded(t, s, [a, b]);
    },

    'ends one of two that come to wait for each other at the same time': async (t) => {
      const s = new StepContext(t);
      for (let round = 0; round < 10; round++) {
        const [a, b] = (await startJobs(t, 2)) as [Claimed, Claimed];
        await Promise.all([s.awaitJobs(a.lease, b.job.id), s.awaitJobs(b.lease, a.job.id)]);
        await assertOneEnded(t, s, [a, b]);
      }
    },
  },
};

/** Which of the two ends is open. */
async function assertOneEnded(t: RuleContext, s: StepContext, pair: readonly [Claimed, Claimed]): Promise<void> {
  const states = await Promise.all(pair.map(async ({ job }) => (await t.job(job.id)).state));
  assert.deepEqual(states.toSorted(), ['dead', 'pending']);
  const other = pair[states.indexOf('pending')] as Claimed;
  assert.equal(await s.isWoken(other.job.id), true);
  await t.cancel(other.job.id);
}
