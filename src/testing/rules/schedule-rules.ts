import assert from 'node:assert/strict';
import { encodePayload } from '../../core/payload.ts';
import { collectHints } from '../hint-collector.ts';
import { comparablePayload, type RuleContext } from '../rule-context.ts';
import type { Rule, RuleGroup } from '../rule-group.ts';
import { ScheduleContext } from '../schedule-context.ts';

/** A rule about schedules: `s` says short what it does to them. */
export function scheduleRule(rule: (s: ScheduleContext, t: RuleContext) => Promise<void>): Rule {
  return (t) => rule(new ScheduleContext(t), t);
}

export const scheduleRules: RuleGroup = {
  topic: 'schedules',
  needs: null,
  rules: {
    'keeps all that a schedule says': scheduleRule(async (s, t) => {
      const definition = {
        jobName: 'report:daily',
        cron: '0 0 2 * * MON',
        timezone: 'Europe/Berlin',
        options: {
          maxAttempts: 7,
          backoff: 'linear',
          initialDelayMs: 5.5,
          maxDelayMs: 600,
          timeoutMs: 1234,
          jitter: 0.25,
        },
        priority: -100,
        catchUp: 'all',
        catchUpLimit: 17,
        overlap: 'skip',
        args: encodePayload([{ tenant: 'ä' }, new Uint8Array([0, 255])], 'args'),
      } as const;
      const schedule = s.newSchedule({ name: 'nightly', nextRunAt: t.now() + 0.5, definition });
      const created = await s.storage.createSchedule({ schedule });
      assert.equal(created.isNew, true);
      const expected = {
        ...definition,
        id: schedule.id,
        name: 'nightly',
        args: comparablePayload(definition.args),
        state: 'active',
        nextRunAt: t.now() + 0.5,
        lastRunAt: null,
        lastJobId: null,
        revision: 1,
        createdAt: t.now(),
        updatedAt: t.now(),
      };
      assert.deepEqual({ ...created.schedule, args: comparablePayload(created.schedule.args) }, expected);
      assert.deepEqual(await s.read(schedule.id), expected);
      assert.deepEqual(await s.read('nightly'), expected);
      const { args: _args, ...summary } = expected;
      assert.deepEqual((await s.list()).schedules, [summary]);
    }),

    'keeps arguments of any size': scheduleRule(async (s, t) => {
      const args = encodePayload(['x'.repeat(300_000)], 'args');
      const id = await s.createId({ definition: { args } });
      assert.deepEqual((await s.read(id)).args, comparablePayload(args));
      await t.advance(1000);
      const firing = await s.firing(id);
      assert.equal(await s.fire(firing), 'fired');
      assert.deepEqual((await t.job(firing.jobs[0]?.id as string)).args, comparablePayload(args));
      const small = encodePayload([2], 'args');
      await s.update(id, { definition: { args: small } });
      assert.deepEqual((await s.read(id)).args, comparablePayload(small));
    }),

    'gives the one that has the name, and stores nothing': scheduleRule(async (s) => {
      const id = await s.createId({ name: 'nightly' });
      const before = await s.read(id);
      const again = await s.create({ name: 'nightly', definition: { cron: '0 0 1 1 *' } });
      assert.equal(again.isNew, false);
      assert.equal(again.schedule.id, id);
      assert.deepEqual(await s.read(id), before);
      assert.equal((await s.list()).total, 1);
    }),

    'takes a repeated id for a repeat of the same call': scheduleRule(async (s) => {
      const schedule = s.newSchedule();
      await s.storage.createSchedule({ schedule });
      const again = await s.storage.createSchedule({ schedule });
      assert.deepEqual([again.isNew, again.schedule.id], [true, schedule.id]);
      assert.equal((await s.list()).total, 1);
    }),

    'lets one of many win a name': scheduleRule(async (s) => {
      const results = await Promise.all(Array.from({ length: 12 }, () => s.create({ name: 'race' })));
      assert.equal(results.filter(({ isNew }) => isNew).length, 1);
      assert.equal(new Set(results.map(({ schedule }) => schedule.id)).size, 1);
      assert.equal((await s.list()).total, 1);
    }),

    'reads nothing for what is not there, and tells the time all the same': scheduleRule(async (s, t) => {
      for (const idOrName of [t.nextId(), 'nobody', '', 'é'.repeat(100), 'x'.repeat(5000)]) {
        assert.deepEqual(await s.storage.getSchedule({ idOrName }), { schedule: null, now: t.now() });
      }
    }),

    'goes by the id before the name': scheduleRule(async (s) => {
      const id = await s.createId();
      const other = await s.createId({ name: id });
      assert.equal((await s.get(id)).id, id);
      assert.equal((await s.get(other)).name, id);
    }),

    'changes what it says, and counts the change': scheduleRule(async (s, t) => {
      const id = await s.createId({ name: 'nightly' });
      await t.advance(10);
      const before = await s.read(id);
      const args = encodePayload(['new'], 'args');
      const definition = { jobName: 'other', cron: '5 * * * *', timezone: 'Asia/Tokyo', priority: 3, args } as const;
      const result = await s.update(id, { definition, nextRunAt: 77 });
      assert.equal(result.status, 'changed');
      const expected = {
        ...before,
        ...definition,
        args: comparablePayload(args),
        nextRunAt: 77,
        revision: 2,
        updatedAt: t.now(),
      };
      assert.deepEqual(await s.read('nightly'), expected);
    }),

    'keeps what it fired last when it is changed, paused or deleted': scheduleRule(async (s) => {
      const id = await s.createId();
      await s.fire(await s.firing(id));
      const { lastRunAt, lastJobId } = await s.get(id);
      assert.notEqual(lastJobId, null);
      await s.update(id, { definition: { cron: '5 * * * *' } });
      for (const state of ['paused', 'deleted'] as const) {
        await s.changeState(id, state);
        const changed = await s.get(id);
        assert.deepEqual([changed.lastRunAt, changed.lastJobId], [lastRunAt, lastJobId]);
      }
    }),

    'changes nothing that has changed since': scheduleRule(async (s) => {
      const id = await s.createId();
      const { revision } = await s.get(id);
      await s.update(id, { definition: { priority: 1 } });
      const before = await s.read(id);
      assert.deepEqual(await s.update(id, { revision, definition: { priority: 2 } }), { status: 'conflict' });
      assert.deepEqual(await s.read(id), before);
    }),

    'lets one of many changes win': scheduleRule(async (s) => {
      const id = await s.createId();
      const changes = Array.from({ length: 8 }, (_, i) => s.update(id, { revision: 1, definition: { priority: i } }));
      const statuses = (await Promise.all(changes)).map(({ status }) => status).sort();
      assert.deepEqual(statuses, ['changed', ...Array(7).fill('conflict')]);
      assert.equal((await s.get(id)).revision, 2);
    }),

    'does not know what is not there': scheduleRule(async (s, t) => {
      const { definition } = s.newSchedule();
      const unknown = { id: t.nextId(), revision: 1, definition, state: 'active', nextRunAt: null } as const;
      assert.deepEqual(await s.storage.updateSchedule(unknown), { status: 'not_found' });
      assert.deepEqual(await s.storage.updateSchedule({ ...unknown, id: 'no id' }), { status: 'not_found' });
    }),

    'frees the name of a deleted one, which can still be read': scheduleRule(async (s) => {
      const first = await s.createId({ name: 'nightly' });
      await s.changeState(first, 'deleted');
      assert.equal((await s.get('nightly')).id, first);
      const second = await s.createId({ name: 'nightly' });
      assert.equal((await s.get('nightly')).id, second);
      assert.deepEqual([(await s.get(first)).state, (await s.get(second)).state], ['deleted', 'active']);
      await s.changeState(second, 'deleted');
      assert.equal((await s.get('nightly')).id, second);
    }),

    'does not bring back a deleted one': scheduleRule(async (s) => {
      const id = await s.createId({ name: 'nightly' });
      await s.changeState(id, 'deleted');
      const before = await s.read(id);
      assert.deepEqual(await s.update(id, { state: 'active' }), { status: 'not_found' });
      assert.deepEqual(await s.read(id), before);
    }),

    'keeps the name of a paused one': scheduleRule(async (s) => {
      const id = await s.createId({ name: 'nightly' });
      await s.changeState(id, 'paused');
      assert.equal((await s.create({ name: 'nightly' })).isNew, false);
    }),

    'lists by state, then by what comes next': scheduleRule(async (s, t) => {
      const at = (ms: number | null) => s.createId({ nextRunAt: ms === null ? null : t.now() + ms });
      const [late, never, soon, soonToo, paused, deleted] = [
        await at(500),
        await at(null),
        await at(-1),
        await at(-1),
        await at(3),
        await at(4),
      ];
      await s.changeState(paused, 'paused');
      await s.changeState(deleted, 'deleted');
      const ids = async (...params: Parameters<typeof s.list>) => {
        const { schedules, total } = await s.list(...params);
        return [schedules.map(({ id }) => id), total];
      };
      const active = [soon, soonToo, late, never];
      assert.deepEqual(await ids(), [[...active, paused, deleted], 6]);
      assert.deepEqual(await ids(['active', 'paused']), [[...active, paused], 5]);
      assert.deepEqual(await ids(['paused']), [[paused], 1]);
      assert.deepEqual(await ids(['deleted', 'active'], 2, 3), [[never, deleted], 5]);
      assert.deepEqual(await ids(['active'], 2, 1), [[soonToo, late], 4]);
      assert.deepEqual(await ids(['active'], 5, 9), [[], 4]);
      assert.deepEqual(await ids([]), [[], 0]);
    }),

    'hints at what was made and changed': scheduleRule(async (s, t) => {
      const isScheduleHint = ({ kind }: { kind: string }): boolean => kind === 'schedules';
      const made = collectHints(s.storage);
      const id = await s.createId();
      await made.until(t, isScheduleHint);
      made.stop();
      const changed = collectHints(s.storage);
      await s.update(id, { definition: { priority: 1 } });
      await changed.until(t, isScheduleHint);
      changed.stop();
    }),
  },
};
