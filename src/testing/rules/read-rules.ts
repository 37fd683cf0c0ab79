import assert from 'node:assert/strict';
import { JOB_STATES, type JobState } from '../../core/job.ts';
import { failed, type RuleContext } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

/** A job of each state for each of two names, created a tick apart; ids by `name state`. */
async function enqueueVariety(t: RuleContext): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const name of ['alpha', 'beta']) {
    for (const state of ['running', 'success', 'dead', 'cancelled', 'pending'] as const) {
      ids.set(`${name} ${state}`, await t.enqueueIn(state, { name }));
      await t.advance(1);
    }
  }
  return ids;
}

export const readRules: RuleGroup = {
  topic: 'reads and lists',
  needs: null,
  rules: {
    'reads jobs by position, null for those that are not there': async (t) => {
      const [a, b] = (await t.enqueue({}, {})) as [string, string];
      const jobs = await t.storage.getJobs({ jobIds: [b, t.nextId(), a, b] });
      assert.deepEqual(
        jobs.map((job) => job?.id ?? null),
        [b, null, a, b],
      );
      assert.deepEqual(await t.storage.getJobs({ jobIds: [] }), []);
    },

    'reads no attempts of a job that has none or is not there': async (t) => {
      assert.deepEqual(await t.attempts(await t.enqueueOne()), []);
      assert.deepEqual(await t.attempts(t.nextId()), []);
    },

    'keeps the histories of jobs apart': async (t) => {
      const ids = await t.enqueue({}, {});
      for (const { job, lease } of await t.claim()) await t.settle(lease, failed(0, `of ${job.id}`));
      for (const id of ids)
        assert.deepEqual(
          (await t.attempts(id)).map(({ error }) => error.message),
          [`of ${id}`],
        );
    },

    'lists jobs without their payloads, otherwise as they are': async (t) => {
      const ids = await enqueueVariety(t);
      const { jobs, total } = await t.list();
      assert.equal(total, ids.size);
      for (const summary of jobs) {
        const { args: _args, result: _result, ...rest } = await t.job(summary.id);
        assert.deepEqual(summary, rest);
      }
    },

    'lists nothing where nothing is': async (t) => {
      assert.deepEqual(await t.list(), { ids: [], jobs: [], total: 0 });
      await t.enqueueOne();
      assert.deepEqual(await t.list({ names: ['other'] }), { ids: [], jobs: [], total: 0 });
    },

    'filters by states and names': async (t) => {
      const ids = await enqueueVariety(t);
      const all = [...ids.keys()];
      const stateFilters: (readonly JobState[] | null)[] = [null, [], ['dead'], ['success', 'pending'], JOB_STATES];
      for (const states of stateFilters) {
        for (const names of [null, [], ['alpha'], ['beta', 'alpha'], ['beta', 'nobody'], ['alph']]) {
          const expected = all.filter((key) => {
            const [name, state] = key.split(' ') as [string, JobState];
            return (states === null || states.includes(state)) && (names === null || names.includes(name));
          });
          const listed = await t.list({ states, names });
          assert.deepEqual(
            listed.ids,
            expected.map((key) => ids.get(key)),
            `${states} of ${names}`,
          );
          assert.equal(listed.total, expected.length);
        }
      }
    },

    'orders by creation, ties by enqueue order, either way': async (t) => {
      const ids = await t.enqueue({ priority: 1 }, { priority: 9 }, { runAt: 0 });
      await t.advance(1);
      ids.push(...(await t.enqueue({ name: 'other' }, { priority: -1 })));
      assert.deepEqual((await t.list()).ids, ids);
      assert.deepEqual((await t.list({ isAscending: false })).ids, [...ids].reverse());
    },

    'orders by due time, ties by enqueue order, either way': async (t) => {
      const [d, b, a, e, c] = await t.enqueue(
        { runAt: t.now() },
        { runAt: 5.5, name: 'other' },
        { runAt: 5 },
        { delayMs: 10, priority: 50 },
        { runAt: 5.5 },
      );
      assert.deepEqual((await t.list({ orderBy: 'scheduledAt' })).ids, [a, b, c, d, e]);
      assert.deepEqual((await t.list({ orderBy: 'scheduledAt', isAscending: false })).ids, [e, d, c, b, a]);
    },

    'orders by the due time of now after a retry': async (t) => {
      const [first, second] = await t.enqueue({}, { delayMs: 50 });
      await t.settle((await t.claimOne()).lease, failed(100));
      assert.deepEqual((await t.list({ orderBy: 'scheduledAt' })).ids, [second, first]);
      assert.deepEqual((await t.list()).ids, [first, second]);
    },

    'keeps enqueue order among ties where ids sort otherwise': async (t) => {
      const ids = [t.nextId(), t.nextId(), t.nextId()].reverse();
      await t.enqueue(...ids.map((id) => ({ id })));
      assert.deepEqual((await t.list()).ids, ids);
    },

    'pages by offset and limit, with the total of all pages': async (t) => {
      const ids: string[] = [];
      for (let i = 0; i < 25; i++) {
        ids.push(...(await t.enqueue({ name: i % 2 === 0 ? 'even' : 'odd' })));
        if (i % 3 === 0) await t.advance(1);
      }
      for (const isAscending of [true, false]) {
        const ordered = isAscending ? ids : [...ids].reverse();
        for (const [offset, limit] of [
          [0, 1],
          [0, 10],
          [10, 10],
          [20, 10],
          [24, 1],
          [25, 10],
          [1000, 10],
          [3, 25],
        ] as const) {
          const page = await t.list({ offset, limit, isAscending });
          assert.deepEqual(page.ids, ordered.slice(offset, offset + limit), `${offset} + ${limit}`);
          assert.equal(page.total, 25);
        }
      }
      const odd = ids.filter((_, i) => i % 2 === 1);
      const filtered = await t.list({ names: ['odd'], states: ['pending'], offset: 5, limit: 4 });
      assert.deepEqual([filtered.ids, filtered.total], [odd.slice(5, 9), odd.length]);
    },

    'shows what an operation did as soon as it has resolved': async (t) => {
      const id = await t.enqueueOne();
      assert.equal((await t.list({ states: ['pending'] })).total, 1);
      const { lease } = await t.claimOne();
      assert.deepEqual((await t.list({ states: ['running'] })).ids, [id]);
      await t.settle(lease, failed(5));
      assert.deepEqual((await t.list({ states: ['pending'] })).ids, [id]);
      assert.equal((await t.list({ states: ['running'] })).total, 0);
    },
  },
};
