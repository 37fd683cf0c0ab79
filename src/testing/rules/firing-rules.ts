import assert from 'node:assert/strict';
import { DEFAULT_JOB_OPTIONS } from '../../core/options.ts';
import { encodePayload } from '../../core/payload.ts';
import { collectHints, isWorkHint } from '../hint-collector.ts';
import { comparablePayload, died, failed, succeeded, UNTOUCHED } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { scheduleRule } from './schedule-rules.ts';

export const firingRules: RuleGroup = {
  topic: 'firing schedules',
  needs: null,
  rules: {
    'lists what is due, the earliest first, and says when the next is': scheduleRule(async (s, t) => {
      const at = (ms: number) => s.createId({ nextRunAt: t.now() + ms });
      assert.deepEqual(await s.listDue(), { schedules: [], now: t.now(), nextDueInMs: null });
      const [third, first, second] = [await at(300), await at(100), await at(200)];
      assert.deepEqual(await s.listDue(), { schedules: [], now: t.now(), nextDueInMs: 100 });
      await t.advance(100);
      assert.deepEqual(await s.dueIds(), [first]);
      assert.equal((await s.listDue()).nextDueInMs, 100);
      await t.advance(200);
      assert.deepEqual(await s.dueIds(), [first, second, third]);
      assert.deepEqual(await s.dueIds(2), [first, second]);
      assert.equal((await s.listDue(2)).nextDueInMs, 0);
      assert.equal((await s.listDue(3)).nextDueInMs, null);
      const { args: _args, ...summary } = await s.get(first);
      assert.deepEqual((await s.listDue(1)).schedules, [summary]);
    }),

    'lists neither what is paused or deleted nor what has nothing to come': scheduleRule(async (s, t) => {
      const paused = await s.createId();
      const deleted = await s.createId();
      await s.createId({ nextRunAt: null });
      await s.changeState(paused, 'paused');
      await s.changeState(deleted, 'deleted');
      await t.advance(5000);
      assert.deepEqual(await s.listDue(), { schedules: [], now: t.now(), nextDueInMs: null });
    }),

    'makes the job that the schedule says, for the occurrence': scheduleRule(async (s, t) => {
      const args = encodePayload(['Berlin', { a: 1 }], 'args');
      const options = {
        maxAttempts: 2,
        backoff: 'fixed',
        initialDelayMs: 7,
        maxDelayMs: 8,
        timeoutMs: 9,
        jitter: 0,
      } as const;
      const dueAt = t.now() + 1000;
      const id = await s.createId({ nextRunAt: dueAt, definition: { jobName: 'report', priority: 5, options, args } });
      await t.advance(1500);
      const firing = await s.firing(id, { nextRunAt: dueAt + 60_000 });
      assert.equal(await s.fire(firing), 'fired');
      const jobId = firing.jobs[0]?.id as string;
      const expected = {
        id: jobId,
        name: 'report',
        state: 'pending',
        attempt: 0,
        options,
        priority: 5,
        idempotencyKey: null,
        occurrence: { scheduleId: id, dueAt },
        ...UNTOUCHED,
        createdAt: t.now(),
        runAt: dueAt,
        startedAt: null,
        finishedAt: null,
        workerId: null,
        leaseExpiresAt: null,
        error: null,
      };
      const payloads = { args: comparablePayload(args), result: null };
      assert.deepEqual(await t.job(jobId), { ...expected, ...payloads });
      assert.deepEqual((await t.list()).jobs, [expected]);
      assert.deepEqual(await t.storage.counts(), [
        { name: 'report', pending: 1, running: 0, success: 0, dead: 0, cancelled: 0 },
      ]);
      const { job, lease } = await t.claimOne({ names: ['report'] });
      assert.deepEqual([job.id, job.occurrence], [jobId, expected.occurrence]);
      await t.settle(lease, succeeded(1));
      assert.deepEqual((await t.job(jobId)).occurrence, expected.occurrence);
    }),

    'makes jobs of what the schedule says by now': scheduleRule(async (s, t) => {
      const id = await s.createId({ nextRunAt: t.now() });
      await s.fire(await s.firing(id));
      const args = encodePayload(['new'], 'args');
      const options = { ...DEFAULT_JOB_OPTIONS, maxAttempts: 9 };
      const before = (await t.list()).jobs;
      await s.update(id, { definition: { jobName: 'report', priority: 5, options, args } });
      const firing = await s.firing(id);
      await s.fire(firing);
      const said = await t.job(firing.jobs[0]?.id as string);
      assert.deepEqual(
        [said.name, said.priority, said.options, said.args],
        ['report', 5, options, comparablePayload(args)],
      );
      assert.deepEqual((await t.list({ names: ['task'] })).jobs, before, 'a job that was made stays as it is');
    }),

    'keeps the occurrence of a job whatever becomes of it': scheduleRule(async (s, t) => {
      const dueAt = t.now();
      const id = await s.createId({ nextRunAt: dueAt });
      await s.fire(await s.firing(id));
      const jobId = (await s.get(id)).lastJobId as string;
      const assertKept = async () => assert.deepEqual((await t.job(jobId)).occurrence, { scheduleId: id, dueAt });
      await t.settle((await t.claimOne()).lease, failed(0));
      await assertKept();
      await t.claimOne({ leaseMs: 100 });
      await t.advance(100);
      await t.storage.reclaimExpired({ limit: 10 });
      await assertKept();
      await t.settle((await t.claimOne()).lease, died());
      await assertKept();
      await t.retry(jobId);
      await assertKept();
      await t.cancel(jobId);
      await assertKept();
      await s.changeState(id, 'deleted');
      await assertKept();
    }),

    'gives a job that was called no occurrence': async (t) => {
      const id = await t.enqueueOne();
      assert.equal((await t.claimOne()).job.occurrence, null);
      assert.equal((await t.job(id)).occurrence, null);
    },

    'goes on to the next occurrence and notes the last': scheduleRule(async (s, t) => {
      const id = await s.createId();
      await t.advance(1000);
      const before = await s.read(id);
      const firing = await s.firing(id);
      await s.fire(firing);
      assert.deepEqual(await s.read(id), {
        ...before,
        nextRunAt: firing.nextRunAt,
        lastRunAt: before.nextRunAt,
        lastJobId: firing.jobs[0]?.id,
        revision: 2,
      });
      assert.deepEqual(await s.dueIds(), []);
    }),

    'makes several jobs, claimed in the order of their occurrences': scheduleRule(async (s, t) => {
      const id = await s.createId({ nextRunAt: t.now() });
      const dues = [t.now(), t.now() + 100, t.now() + 200];
      await t.advance(1000);
      const jobs = dues.map((dueAt) => ({ id: t.nextId(), dueAt })).map((job) => job);
      assert.equal(await s.fire(await s.firing(id, { jobs })), 'fired');
      assert.deepEqual(
        await t.claimIds(),
        jobs.map((job) => job.id),
      );
      const { lastRunAt, lastJobId } = await s.get(id);
      assert.deepEqual([lastRunAt, lastJobId], [dues[2], jobs[2]?.id]);
    }),

    'goes on without a job': scheduleRule(async (s, t) => {
      const id = await s.createId();
      await t.advance(1000);
      assert.equal(await s.fire(await s.firing(id, { jobs: [], nextRunAt: null })), 'fired');
      const { nextRunAt, lastRunAt, lastJobId, state } = await s.get(id);
      assert.deepEqual([nextRunAt, lastRunAt, lastJobId, state], [null, null, null, 'active']);
      assert.equal((await t.list()).total, 0);
    }),

    'does nothing for one who came too late': scheduleRule(async (s, t) => {
      const id = await s.createId();
      await t.advance(1000);
      const [first, second] = [await s.firing(id), await s.firing(id)];
      assert.equal(await s.fire(first), 'fired');
      const after = await s.read(id);
      assert.equal(await s.fire(second), 'stale');
      assert.equal(await s.fire(first), 'stale');
      assert.deepEqual(await s.read(id), after);
      assert.equal((await t.list()).total, 1);
    }),

    'does nothing for a schedule that was changed, paused or deleted since, or is not there': scheduleRule(
      async (s, t) => {
        for (const change of [
          { definition: { priority: 1 } },
          { state: 'paused', nextRunAt: null },
          { state: 'deleted', nextRunAt: null },
        ] as const) {
          const id = await s.createId();
          const firing = await s.firing(id);
          await s.update(id, change);
          assert.equal(await s.fire(firing), 'stale');
          assert.equal(await s.fire({ ...firing, scheduleId: t.nextId() }), 'stale');
          assert.equal(await s.fire({ ...firing, scheduleId: 'no id' }), 'stale');
        }
        assert.equal((await t.list()).total, 0);
      },
    ),

    'does nothing for one that is not active, whatever its revision': scheduleRule(async (s, t) => {
      for (const state of ['paused', 'deleted'] as const) {
        const id = await s.createId();
        await s.changeState(id, state);
        const before = await s.read(id);
        assert.equal(await s.fire(await s.firing(id)), 'stale');
        assert.deepEqual(await s.read(id), before);
      }
      assert.equal((await t.list()).total, 0);
    }),

    'makes one job of an occurrence however many try': scheduleRule(async (s, t) => {
      const ids = await Promise.all(Array.from({ length: 5 }, () => s.createId()));
      await t.advance(1000);
      const attempts = Array.from({ length: 10 }, async () => {
        const firings = await Promise.all(ids.map((id) => s.firing(id, { revision: 1 })));
        return s.storage.fireSchedules({ firings });
      });
      const statuses = (await Promise.all(attempts)).flat();
      assert.equal(statuses.filter((status) => status === 'fired').length, 5);
      assert.equal(statuses.filter((status) => status === 'stale').length, 45);
      const { jobs } = await t.list();
      assert.deepEqual(jobs.map(({ occurrence }) => occurrence?.scheduleId).sort(), [...ids].sort());
    }),

    'answers each firing of a batch by its place': scheduleRule(async (s, t) => {
      const [a, b, c] = [await s.createId(), await s.createId(), await s.createId()];
      await s.update(b, { definition: { priority: 9 } });
      const firings = [await s.firing(c), await s.firing(b, { revision: 1 }), await s.firing(a)];
      assert.deepEqual(await s.storage.fireSchedules({ firings }), ['fired', 'stale', 'fired']);
      assert.deepEqual(await s.storage.fireSchedules({ firings: [] }), []);
      assert.equal((await t.list()).total, 2);
    }),

    'skips an overlap until the last job has ended': scheduleRule(async (s, t) => {
      const id = await s.createId({ definition: { overlap: 'skip' } });
      const fire = async () => s.fire(await s.firing(id));
      assert.equal(await fire(), 'fired');
      const jobId = (await s.get(id)).lastJobId as string;
      const before = await s.get(id);
      assert.equal(await fire(), 'overlapped');
      const after = await s.get(id);
      assert.deepEqual([after.lastJobId, after.lastRunAt], [jobId, before.lastRunAt]);
      assert.equal(after.revision, before.revision + 1);
      assert.equal(after.nextRunAt, (before.nextRunAt as number) + 60_000);
      assert.equal((await t.list()).total, 1);

      await t.advance(1000);
      const running = await t.claimOne();
      assert.equal(await fire(), 'overlapped');
      await t.settle(running.lease, failed(10));
      assert.equal(await fire(), 'overlapped');
      await t.advance(10);
      await t.settle((await t.claimOne()).lease, succeeded(1));
      assert.equal(await fire(), 'fired');
      assert.equal((await t.list()).total, 2);

      await t.cancel((await s.get(id)).lastJobId as string);
      assert.equal(await fire(), 'fired');
    }),

    'takes a dead job for one that has ended, until it is retried': scheduleRule(async (s, t) => {
      const id = await s.createId({ nextRunAt: t.now(), definition: { overlap: 'skip' } });
      await s.fire(await s.firing(id));
      await t.settle((await t.claimOne()).lease, died());
      assert.equal(await s.fire(await s.firing(id, { jobs: [{ id: t.nextId(), dueAt: t.now() }] })), 'fired');
      await t.settle((await t.claimOne()).lease, died());
      await t.retry((await s.get(id)).lastJobId as string);
      assert.equal(await s.fire(await s.firing(id)), 'overlapped');
    }),

    'takes a pruned job for one that has ended': scheduleRule(async (s, t) => {
      const id = await s.createId({ definition: { overlap: 'skip' } });
      await s.fire(await s.firing(id));
      await t.cancel((await s.get(id)).lastJobId as string);
      await t.advance(10);
      assert.equal(await t.pruneAll('cancelled', 10), 1);
      assert.equal(await s.fire(await s.firing(id)), 'fired');
    }),

    'hints at the work': scheduleRule(async (s, t) => {
      const id = await s.createId({ definition: { jobName: 'mail' } });
      const hints = collectHints(s.storage);
      await s.fire(await s.firing(id));
      await hints.until(t, isWorkHint('mail'));
      hints.stop();
    }),
  },
};
