import assert from 'node:assert/strict';
import { FINISHED_STATES, JOB_STATES } from '../../core/job.ts';
import type { RuleGroup } from '../rule-group.ts';

/** Texts that a careless key encoding would mix up or cut. */
const AWKWARD_KEYS = [
  'a',
  'ab',
  'A',
  ' ',
  'a ',
  ' a',
  'a:b',
  'a/b',
  'a\u0000',
  'a\u0000b',
  '\u0000',
  'a\nb',
  '\u001f',
  '\u00ff',
  'é',
  'e\u0301',
  '订单-1',
  '🚀',
  '\u{10ffff}',
  '\uffff',
  '__proto__',
  'null',
  '0',
  '"',
  "'; DROP TABLE jobs; --",
  '%',
  '_',
  '\\',
];

export const idempotencyRules: RuleGroup = {
  topic: 'idempotency',
  needs: null,
  rules: {
    'gives the job that already has the key, and stores nothing': async (t) => {
      const first = await t.enqueueOne({ idempotencyKey: 'order-1' });
      const second = t.newJob({ idempotencyKey: 'order-1', priority: 5 });
      await t.assertUnchanged(first, async () => {
        assert.deepEqual(await t.storage.enqueue({ jobs: [second] }), [{ jobId: first, deduplicated: true }]);
      });
      assert.deepEqual(await t.storage.getJobs({ jobIds: [second.id] }), [null]);
      assert.equal((await t.list()).total, 1);
    },

    'scopes a key to the name': async (t) => {
      const jobs = ['charge', 'refund'].map((name) => t.newJob({ name, idempotencyKey: 'order-1' }));
      const results = await t.storage.enqueue({ jobs });
      assert.deepEqual(
        results,
        jobs.map(({ id }) => ({ jobId: id, deduplicated: false })),
      );
    },

    'tells (name, key) pairs apart that read alike when joined': async (t) => {
      const pairs = [
        ['a:b', 'c'],
        ['a', 'b:c'],
        ['a/b', 'c'],
        ['a', 'b/c'],
        ['a', 'bc'],
        ['ab', 'c'],
        ['a', '\u0000bc'],
      ] as const;
      const jobs = pairs.map(([name, idempotencyKey]) => t.newJob({ name, idempotencyKey }));
      const results = await t.storage.enqueue({ jobs });
      assert.deepEqual(
        results,
        jobs.map(({ id }) => ({ jobId: id, deduplicated: false })),
      );
    },

    'lets the first of one batch win': async (t) => {
      const [first, other, second] = [
        t.newJob({ idempotencyKey: 'k' }),
        t.newJob(),
        t.newJob({ idempotencyKey: 'k' }),
      ] as const;
      assert.deepEqual(await t.storage.enqueue({ jobs: [first, other, second] }), [
        { jobId: first.id, deduplicated: false },
        { jobId: other.id, deduplicated: false },
        { jobId: first.id, deduplicated: true },
      ]);
      assert.equal((await t.list()).total, 2);
    },

    'stores the new jobs of a batch beside the known ones': async (t) => {
      const known = await t.enqueueOne({ idempotencyKey: 'known' });
      const fresh = t.newJob({ idempotencyKey: 'fresh' });
      assert.deepEqual(await t.storage.enqueue({ jobs: [t.newJob({ idempotencyKey: 'known' }), fresh] }), [
        { jobId: known, deduplicated: true },
        { jobId: fresh.id, deduplicated: false },
      ]);
      assert.deepEqual((await t.claimIds()).sort(), [known, fresh.id].sort());
    },

    'has exactly one winner among concurrent calls': async (t) => {
      const jobs = Array.from({ length: 40 }, () => t.newJob({ idempotencyKey: 'race' }));
      const results = (await Promise.all(jobs.map((job) => t.storage.enqueue({ jobs: [job] })))).flat();
      const winners = results.filter(({ deduplicated }) => !deduplicated);
      assert.equal(winners.length, 1);
      assert.deepEqual(new Set(results.map(({ jobId }) => jobId)), new Set([winners[0]?.jobId]));
      assert.equal((await t.list()).total, 1);
    },

    'answers the repeat of a winning call as the call itself': async (t) => {
      const job = t.newJob({ idempotencyKey: 'k' });
      await t.storage.enqueue({ jobs: [job] });
      assert.deepEqual(await t.storage.enqueue({ jobs: [job] }), [{ jobId: job.id, deduplicated: false }]);
    },

    'keeps the key whatever the state of the job': async (t) => {
      for (const state of JOB_STATES) {
        const name = `task-${state}`;
        const id = await t.enqueueIn(state, { name, idempotencyKey: 'k' });
        const again = await t.storage.enqueue({ jobs: [t.newJob({ name, idempotencyKey: 'k' })] });
        assert.deepEqual(again, [{ jobId: id, deduplicated: true }], state);
        assert.equal((await t.job(id)).state, state);
      }
    },

    'keeps the key of a dead job that is retried': async (t) => {
      const id = await t.enqueueIn('dead', { idempotencyKey: 'k' });
      await t.retry(id);
      assert.equal(await t.enqueueOne({ idempotencyKey: 'k' }), id);
    },

    'frees the key when the job is pruned': async (t) => {
      for (const state of FINISHED_STATES) {
        const name = `task-${state}`;
        await t.enqueueIn(state, { name, idempotencyKey: 'k' });
        await t.advance(1);
        await t.storage.prune({ state, olderThanMs: 0, limit: 10 });
        const job = t.newJob({ name, idempotencyKey: 'k' });
        assert.deepEqual(await t.storage.enqueue({ jobs: [job] }), [{ jobId: job.id, deduplicated: false }], state);
        assert.equal(await t.enqueueOne({ name, idempotencyKey: 'k' }), job.id, state);
      }
    },

    'tells keys apart byte by byte, and gives them back as they were': async (t) => {
      const keys = [...AWKWARD_KEYS, 'x'.repeat(255), 'x'.repeat(254), '€'.repeat(85), `${'€'.repeat(84)}abc`];
      const ids = await t.enqueue(...keys.map((idempotencyKey) => ({ idempotencyKey })));
      assert.equal(new Set(ids).size, keys.length);
      for (const [i, key] of keys.entries()) {
        assert.equal((await t.job(ids[i] as string)).idempotencyKey, key);
        assert.equal(await t.enqueueOne({ idempotencyKey: key }), ids[i], JSON.stringify(key));
      }
    },
  },
};
