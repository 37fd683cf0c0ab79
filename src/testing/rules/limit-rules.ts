import assert from 'node:assert/strict';
import { LIMITS } from '../../core/options.ts';
import type { Payload } from '../../core/payload.ts';
import { comparablePayload, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

function largePayload(seed: number): Payload {
  const pattern = Uint8Array.from({ length: 251 }, (_, i) => (i * 31 + seed) % 251);
  return { encoding: 'msgpack', bytes: Buffer.alloc(LIMITS.payloadBytes, pattern) };
}

/** All characters that a name can hold, filled up to the longest name. */
const NAME_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-';
const LONGEST_NAME = NAME_CHARACTERS.padEnd(LIMITS.nameBytes, 'z');

export const limitRules: RuleGroup = {
  topic: 'limits',
  needs: null,
  rules: {
    'carries arguments and results of the largest size': async (t) => {
      const id = await t.enqueueOne({ args: largePayload(1) });
      const { job, lease } = await t.claimOne();
      assert.deepEqual(comparablePayload(job.args), comparablePayload(largePayload(1)));
      await t.settle(lease, { kind: 'success', result: largePayload(2) });
      const stored = await t.job(id);
      assert.deepEqual(stored.args, comparablePayload(largePayload(1)));
      assert.deepEqual(stored.result, comparablePayload(largePayload(2)));
    },

    'carries many large payloads in one batch': async (t) => {
      const ids = await t.enqueue(...Array.from({ length: 16 }, (_, i) => ({ args: largePayload(i) })));
      const claimed = await t.claim();
      assert.deepEqual(
        claimed.map(({ job }) => job.id),
        ids,
      );
      for (const [i, { job }] of claimed.entries()) {
        assert.deepEqual(comparablePayload(job.args), comparablePayload(largePayload(i)));
      }
    },

    'tells the longest names apart, with the longest keys': async (t) => {
      const names = [LONGEST_NAME, `${LONGEST_NAME.slice(0, -1)}y`, LONGEST_NAME.slice(0, -1)];
      const idempotencyKey = `${'\u{1f680}'.repeat(63)}abc`;
      assert.equal(Buffer.byteLength(idempotencyKey), LIMITS.idempotencyKeyBytes);
      const ids = await t.enqueue(...names.map((name) => ({ name, idempotencyKey })));
      assert.equal(new Set(ids).size, names.length);
      for (const [i, name] of names.entries()) {
        assert.deepEqual(await t.claimIds({ names: [name] }), [ids[i]]);
        assert.deepEqual((await t.list({ names: [name] })).ids, [ids[i]]);
      }
      assert.deepEqual(
        (await t.storage.counts()).map(({ name }) => name),
        [...names].sort(),
      );
    },

    'takes the largest batch through its whole life': async (t) => {
      const count = LIMITS.batchJobs;
      const ids = await t.enqueue(...Array.from({ length: count }, (_, i) => ({ idempotencyKey: `key-${i}` })));
      const claimed = await t.claim({ limit: count });
      assert.deepEqual(
        claimed.map(({ job }) => job.id),
        ids,
      );
      const leases = claimed.map(({ lease }) => lease);
      const held = await t.storage.extendLeases({ leases, leaseMs: 60_000 });
      assert.ok(held.length === count && held.every((status) => status === 'held'));
      const results = await t.storage.settle({
        settlements: leases.map((lease) => ({ lease, outcome: succeeded(1) })),
      });
      assert.ok(results.length === count && results.every(({ status }) => status === 'settled'));
      assert.deepEqual(
        (await t.storage.counts()).map(({ success }) => success),
        [count],
      );
      await t.advance(1);
      assert.equal(await t.pruneAll('success', count), count);
      assert.deepEqual(await t.storage.counts(), []);
    },

    'answers the largest batch of known keys': async (t) => {
      const drafts = Array.from({ length: LIMITS.batchJobs }, (_, i) => ({ idempotencyKey: `key-${i}` }));
      const ids = await t.enqueue(...drafts);
      assert.deepEqual(await t.enqueue(...drafts), ids);
      assert.equal((await t.list({ limit: 1 })).total, LIMITS.batchJobs);
    },

    'lists the largest page, and an offset beyond all': async (t) => {
      const ids = await t.enqueue(...Array.from({ length: LIMITS.listPage + 10 }, () => ({})));
      assert.deepEqual((await t.list({ limit: LIMITS.listPage })).ids, ids.slice(0, LIMITS.listPage));
      assert.deepEqual((await t.list({ offset: LIMITS.listOffset })).ids, []);
    },

    'keeps the longest errors and delays': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: LIMITS.maxAttempts }, delayMs: LIMITS.startDelayMs });
      assert.equal((await t.job(id)).runAt, t.now() + LIMITS.startDelayMs);
      await t.advance(LIMITS.startDelayMs);
      const error = {
        name: 'E',
        message: '€'.repeat(LIMITS.errorMessageChars),
        stack: '€'.repeat(LIMITS.errorStackChars),
      };
      for (let attempt = 1; attempt <= 22; attempt++) {
        await t.settle((await t.claimOne()).lease, { kind: 'retry', error, delayMs: 0 });
      }
      await t.settle((await t.claimOne()).lease, { kind: 'retry', error, delayMs: LIMITS.backoffDelayMs });
      assert.equal((await t.job(id)).runAt, t.now() + LIMITS.backoffDelayMs);
      assert.deepEqual(
        (await t.attempts(id)).map((entry) => entry.error),
        Array(20).fill(error),
      );
    },

    'claims one job of each of very many names': async (t) => {
      const names = Array.from({ length: 1000 }, (_, i) => `name-${i}`);
      await t.enqueue(...names.map((name) => ({ name })));
      const claimed = await t.claim({ names, limit: 2000 });
      assert.deepEqual(
        claimed.map(({ job }) => job.name),
        names,
      );
    },
  },
};
