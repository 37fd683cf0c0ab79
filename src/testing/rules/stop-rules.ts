import assert from 'node:assert/strict';
import { lostAttemptError } from '../../core/job.ts';
import { collectHints, isFinishedHint, isSignalsHint } from '../hint-collector.ts';
import { died, errorOf, failed, LEASE_LOST, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, StepContext, suspended } from '../step-context.ts';

const REQUESTED = { status: 'requested', state: 'running' };

export const stopRules: RuleGroup = {
  topic: 'asking running jobs to stop',
  needs: null,
  rules: {
    'notes that a running job is to stop, and changes nothing else': async (t) => {
      const s = new StepContext(t);
      const { job } = await s.start('task');
      const before = await t.job(job.id);
      await t.advance(5);
      assert.deepEqual(await s.requestStop(job.id), REQUESTED);
      assert.deepEqual(await t.job(job.id), { ...before, isCancelRequested: true });
      assert.deepEqual((await t.list()).jobs[0]?.isCancelRequested, true);
      assert.deepEqual(await t.assertUnchanged(job.id, () => s.requestStop(job.id)), REQUESTED);
      const refused = { status: 'refused', state: 'running' };
      assert.deepEqual(await t.assertUnchanged(job.id, () => t.cancel(job.id)), refused);
      assert.deepEqual(await t.assertUnchanged(job.id, () => t.retry(job.id)), refused);
    },

    'tells the worker when it extends the lease': async (t) => {
      const s = new StepContext(t);
      const asked = await s.start('asked');
      const other = await s.start('other');
      await s.requestStop(asked.job.id);
      const leases = [other.lease, asked.lease, { ...asked.lease, token: 'forged' }];
      for (let i = 0; i < 2; i++) {
        const statuses = await t.storage.extendLeases({ leases, leaseMs: 77 });
        assert.deepEqual(statuses, ['held', 'cancel_requested', 'lease_lost']);
      }
      assert.equal((await t.job(asked.job.id)).leaseExpiresAt, t.now() + 77);
      await t.advance(76);
      assert.deepEqual((await t.storage.reclaimExpired({ limit: 10 })).jobs, []);
    },

    'hints at the request': async (t) => {
      const s = new StepContext(t);
      const { job } = await s.start('task');
      const hints = collectHints(t.storage);
      await s.requestStop(job.id);
      await hints.until(t, isSignalsHint(job.id));
    },

    'cancels pending jobs, and refuses finished ones, as ever': async (t) => {
      const s = new StepContext(t);
      const pending = await t.enqueueOne({ delayMs: 10 });
      const finished = await t.enqueueIn('dead');
      const running = await s.start('other');
      const jobIds = [pending, finished, running.job.id, t.nextId(), pending];
      assert.deepEqual(await t.storage.cancel({ jobIds, isRunningIncluded: true }), [
        { status: 'changed', state: 'cancelled' },
        { status: 'refused', state: 'dead' },
        REQUESTED,
        { status: 'not_found' },
        { status: 'refused', state: 'cancelled' },
      ]);
    },

    'a job that succeeds all the same has succeeded': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.requestStop(job.id);
      assert.equal((await t.settle(lease, succeeded('done'))).status, 'settled');
      const { state, isCancelRequested, error, result } = await t.job(job.id);
      assert.deepEqual([state, isCancelRequested, error], ['success', false, null]);
      assert.notEqual(result, null);
    },

    'a job that fails is cancelled, the attempt in its history': async (t) => {
      const s = new StepContext(t);
      for (const outcome of [failed(500, 'stopped'), died('stopped')]) {
        const { job, lease } = await s.start(outcome.kind);
        await s.requestStop(job.id);
        const before = await t.job(job.id);
        await t.advance(30);
        const hints = collectHints(t.storage);
        const answer = await t.settle(lease, outcome);
        assert.deepEqual(answer, { status: 'settled', state: 'cancelled', runAt: before.runAt });
        assert.deepEqual(await t.job(job.id), {
          ...before,
          state: 'cancelled',
          isCancelRequested: false,
          finishedAt: t.now(),
          leaseExpiresAt: null,
          error: errorOf('stopped'),
        });
        const [entry, ...more] = await t.attempts(job.id);
        assert.deepEqual([entry?.attempt, entry?.outcome, entry?.error.message], [1, 'failed', 'stopped']);
        assert.deepEqual(more, []);
        await hints.until(t, isFinishedHint(job.id));
        await t.advance(500);
        assert.deepEqual(await t.claimIds({ names: [outcome.kind] }), []);
      }
    },

    'a job that is given back or suspended is cancelled, and its attempt stands': async (t) => {
      const s = new StepContext(t);
      for (const outcome of [RELEASED, suspended({ wakeAt: 0 }), suspended({ awaits: [t.nextId()], signalsSeen: 0 })]) {
        const { job, lease } = await s.start('task');
        await s.requestStop(job.id);
        const before = await t.job(job.id);
        await t.advance(30);
        const answer = await t.settle(lease, outcome);
        assert.deepEqual(answer, { status: 'settled', state: 'cancelled', runAt: before.runAt });
        assert.deepEqual(await t.job(job.id), {
          ...before,
          state: 'cancelled',
          isCancelRequested: false,
          finishedAt: t.now(),
          leaseExpiresAt: null,
        });
        assert.deepEqual(await t.attempts(job.id), []);
        await s.signal(job.id);
        assert.deepEqual(await t.claimIds(), []);
      }
    },

    'a job whose worker is lost is cancelled, whatever attempts are left': async (t) => {
      const s = new StepContext(t);
      for (const maxAttempts of [1, 5]) {
        const { job } = await s.start('task', { options: { maxAttempts } }, 100);
        await s.requestStop(job.id);
        const before = await t.job(job.id);
        await t.advance(100);
        const { jobs } = await t.storage.reclaimExpired({ limit: 10 });
        assert.deepEqual(jobs, [{ jobId: job.id, name: 'task', attempt: 1, state: 'cancelled' }]);
        const error = lostAttemptError('worker-1');
        assert.deepEqual(await t.job(job.id), {
          ...before,
          state: 'cancelled',
          isCancelRequested: false,
          finishedAt: t.now(),
          leaseExpiresAt: null,
          error,
        });
        assert.deepEqual(
          (await t.attempts(job.id)).map(({ outcome }) => outcome),
          ['lost'],
        );
        assert.deepEqual(await t.claimIds(), []);
      }
    },

    'a repeat of the settle that stopped it is told so': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.requestStop(job.id);
      const first = await t.settle(lease, RELEASED);
      for (const repeat of [RELEASED, failed(0), succeeded(1)]) {
        assert.deepEqual(await t.assertUnchanged(job.id, () => t.settle(lease, repeat)), first);
      }
      const stale = { ...lease, token: t.nextToken() };
      assert.deepEqual(await t.settle(stale, RELEASED), LEASE_LOST);
      assert.deepEqual(await t.storage.extendLeases({ leases: [lease], leaseMs: 1 }), ['lease_lost']);
    },

    'the first of two settlements of one lease in a batch decides': async (t) => {
      const s = new StepContext(t);
      for (const first of [suspended(), suspended({ awaits: [t.nextId()] }), RELEASED, failed(5), succeeded(1)]) {
        const { job, lease } = await s.start('task');
        await s.requestStop(job.id);
        const outcomes = [first, succeeded(1), suspended(), failed(0)];
        const results = await t.storage.settle({ settlements: outcomes.map((outcome) => ({ lease, outcome })) });
        const { state, runAt } = await t.job(job.id);
        assert.equal(state, first.kind === 'success' ? 'success' : 'cancelled', first.kind);
        assert.deepEqual(results, Array(outcomes.length).fill({ status: 'settled', state, runAt }));
      }
    },

    'a job that is to stop still records steps and takes signals': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.requestStop(job.id);
      assert.equal((await s.record(lease, 0, newStep('undo'))).status, 'recorded');
      assert.deepEqual(await s.signal(job.id), { status: 'stored' });
      await t.settle(lease, RELEASED);
      const { state, stepCount, signalCount } = await t.job(job.id);
      assert.deepEqual([state, stepCount, signalCount], ['cancelled', 1, 1]);
      assert.deepEqual(await s.texts(job.id), ['undo']);
    },

    'a request that comes too late is refused, or cancels what is pending by then': async (t) => {
      const s = new StepContext(t);
      const done = await s.start('task');
      await t.settle(done.lease, succeeded(1));
      assert.deepEqual(await s.requestStop(done.job.id), { status: 'refused', state: 'success' });
      const waiting = await s.start('task');
      await t.settle(waiting.lease, failed(100));
      assert.deepEqual(await s.requestStop(waiting.job.id), { status: 'changed', state: 'cancelled' });
      assert.equal((await t.job(waiting.job.id)).isCancelRequested, false);
    },

    'one of a concurrent request and settle comes first, and both are told so': async (t) => {
      const s = new StepContext(t);
      for (let round = 0; round < 20; round++) {
        const { job, lease } = await s.start('task');
        const calls = [() => s.requestStop(job.id), () => t.settle(lease, failed(0))] as const;
        const [change] = await Promise.all([calls[0](), calls[1]()]);
        assert.equal((await t.job(job.id)).state, 'cancelled', change.status);
        assert.ok(change.status === 'requested' || change.status === 'changed', change.status);
        assert.equal((await t.attempts(job.id)).length, 1);
      }
    },
  },
};
