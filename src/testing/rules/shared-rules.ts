import assert from 'node:assert/strict';
import type { Storage } from '../../core/storage.ts';
import { collectHints, isFinishedHint, isWorkHint } from '../hint-collector.ts';
import { LEASE_LOST, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { ScheduleContext } from '../schedule-context.ts';

async function openMany(t: RuleContext, count: number): Promise<Storage[]> {
  const storages = [t.storage];
  while (storages.length < count) storages.push(await t.openAnother());
  return storages;
}

export const sharedRules: RuleGroup = {
  topic: 'several storages on the same jobs',
  needs: 'isShared',
  rules: {
    'see what the others did as soon as it has resolved': async (t) => {
      const other = await t.openAnother();
      const id = await t.enqueueOne();
      assert.equal((await other.getJobs({ jobIds: [id] }))[0]?.state, 'pending');
      const leaseToken = t.nextToken();
      const { jobs } = await other.claim(t.claimParams({ leaseToken }));
      assert.deepEqual(
        jobs.map((job) => job.id),
        [id],
      );
      assert.equal((await t.job(id)).state, 'running');
      assert.deepEqual(await t.claimIds(), []);
      await t.settle({ jobId: id, attempt: 1, token: leaseToken }, succeeded('from here'));
      assert.equal((await other.getJobs({ jobIds: [id] }))[0]?.state, 'success');
      assert.deepEqual(await other.counts(), await t.storage.counts());
    },

    'never claim one job twice': async (t) => {
      const storages = await openMany(t, 4);
      const ids = await t.enqueue(...Array.from({ length: 200 }, () => ({})));
      const claims = Array.from({ length: 60 }, (_, i) =>
        (storages[i % 4] as Storage).claim(t.claimParams({ workerId: `w-${i}`, limit: 4 })),
      );
      const taken = (await Promise.all(claims)).flatMap(({ jobs }) => jobs.map(({ id }) => id));
      assert.deepEqual([...taken].sort(), [...ids].sort());
    },

    'let one call win an idempotency key': async (t) => {
      const storages = await openMany(t, 4);
      const calls = Array.from({ length: 40 }, (_, i) =>
        (storages[i % 4] as Storage).enqueue({ jobs: [t.newJob({ idempotencyKey: 'race' })] }),
      );
      const results = (await Promise.all(calls)).flat();
      assert.equal(results.filter(({ deduplicated }) => !deduplicated).length, 1);
      assert.equal(new Set(results.map(({ jobId }) => jobId)).size, 1);
    },

    'keep enqueue order between them': async (t) => {
      const storages = await openMany(t, 3);
      const ids = Array.from({ length: 12 }, () => t.nextId()).reverse();
      for (const [i, id] of ids.entries()) {
        await (storages[i % 3] as Storage).enqueue({ jobs: [t.newJob({ id })] });
      }
      assert.deepEqual(await t.claimIds(), ids);
    },

    'fence each other': async (t) => {
      const other = await t.openAnother();
      const id = await t.enqueueOne();
      const { lease } = await t.claimOne({ leaseMs: 10 });
      await t.advance(10);
      assert.equal((await other.reclaimExpired({ limit: 1 })).jobs.length, 1);
      assert.deepEqual(await t.assertUnchanged(id, () => t.settle(lease, succeeded('late'))), LEASE_LOST);
    },

    'count right together': async (t) => {
      const storages = await openMany(t, 3);
      await Promise.all(
        storages.map(async (storage) => {
          for (let i = 0; i < 10; i++) {
            await storage.enqueue({ jobs: [t.newJob(), t.newJob()] });
            await storage.claim(t.claimParams({ limit: 1 }));
          }
        }),
      );
      const expected = [{ name: 'task', pending: 30, running: 30, success: 0, dead: 0, cancelled: 0 }];
      for (const storage of storages) assert.deepEqual(await storage.counts(), expected);
    },

    'hear of work and of results from each other': async (t) => {
      const other = await t.openAnother();
      const hints = collectHints(other);
      const id = await t.enqueueOne();
      await hints.until(t, isWorkHint('task'));
      await t.settle((await t.claimOne()).lease, succeeded(1));
      await hints.until(t, isFinishedHint(id));
    },

    'make one job of an occurrence between them': async (t) => {
      const storages = await openMany(t, 4);
      const s = new ScheduleContext(t);
      const ids = await Promise.all(Array.from({ length: 10 }, () => s.createId()));
      await t.advance(1000);
      const attempts = storages.map(async (storage) => {
        const { schedules } = await storage.listDueSchedules({ limit: 100 });
        return Promise.all(schedules.map(async ({ id }) => s.fire(await s.firing(id, { revision: 1 }), storage)));
      });
      const statuses = (await Promise.all(attempts)).flat();
      assert.equal(statuses.filter((status) => status === 'fired').length, 10);
      const { jobs } = await t.list();
      assert.deepEqual(jobs.map(({ occurrence }) => occurrence?.scheduleId).sort(), [...ids].sort());
    },

    'let one of them win the name of a schedule': async (t) => {
      const storages = await openMany(t, 4);
      const s = new ScheduleContext(t);
      const created = storages.map((storage) => storage.createSchedule({ schedule: s.newSchedule({ name: 'race' }) }));
      const results = await Promise.all(created);
      assert.equal(results.filter(({ isNew }) => isNew).length, 1);
      assert.equal(new Set(results.map(({ schedule }) => schedule.id)).size, 1);
    },

    'hear of schedules, and of what they fire, from each other': async (t) => {
      const other = await t.openAnother();
      const s = new ScheduleContext(t);
      const hints = collectHints(other);
      const id = await s.createId();
      await hints.until(t, ({ kind }) => kind === 'schedules');
      hints.stop();
      const later = collectHints(other);
      await s.fire(await s.firing(id));
      await later.until(t, isWorkHint('task'));
      await s.update(id, { definition: { priority: 1 } });
      await later.until(t, ({ kind }) => kind === 'schedules');
    },

    'go on when one of them closes': async (t) => {
      const other = await t.openAnother();
      const third = await t.openAnother();
      const id = await t.enqueueOne();
      await other.close();
      assert.deepEqual(await t.claimIds(), [id]);
      await third.enqueue({ jobs: [t.newJob()] });
      assert.equal((await t.list()).total, 2);
    },
  },
};
