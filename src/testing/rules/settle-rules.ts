import assert from 'node:assert/strict';
import { type Lease, MAX_ATTEMPT_HISTORY } from '../../core/job.ts';
import { encodePayload, type Payload } from '../../core/payload.ts';
import { comparablePayload, died, errorOf, failed, LEASE_LOST, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

export const settleRules: RuleGroup = {
  topic: 'settle',
  needs: null,
  rules: {
    'success stores the result and ends the job': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      const before = await t.job(job.id);
      await t.advance(30);
      const result = encodePayload({ sent: true, at: new Date(5) }, 'result');
      const answer = await t.settle(lease, { kind: 'success', result });
      assert.deepEqual(answer, { status: 'settled', state: 'success', runAt: before.runAt });
      assert.deepEqual(await t.job(job.id), {
        ...before,
        state: 'success',
        finishedAt: t.now(),
        leaseExpiresAt: null,
        result: comparablePayload(result),
      });
      assert.deepEqual(await t.attempts(job.id), []);
      assert.deepEqual(await t.claimIds(), []);
    },

    'keeps results as they are: none, empty, of any encoding': async (t) => {
      const results: (Payload | null)[] = [
        null,
        encodePayload(null, 'result'),
        encodePayload(undefined, 'result'),
        { encoding: 'json', bytes: Buffer.from('{"b":1, "a":[ ]}') },
        { encoding: 'json', bytes: new Uint8Array(0) },
        { encoding: 'msgpack', bytes: Uint8Array.from({ length: 256 }, (_, i) => i) },
      ];
      for (const result of results) {
        const id = await t.enqueueOne();
        await t.settle((await t.claimOne()).lease, { kind: 'success', result });
        assert.deepEqual((await t.job(id)).result, result === null ? null : comparablePayload(result));
      }
    },

    'retry puts the job back, due after the delay, with the attempt in its history': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne({ workerId: 'w-1' });
      const before = await t.job(job.id);
      await t.advance(30);
      const answer = await t.settle(lease, failed(250.5, 'no route'));
      assert.deepEqual(answer, { status: 'settled', state: 'pending', runAt: t.now() + 250.5 });
      assert.deepEqual(await t.job(job.id), {
        ...before,
        state: 'pending',
        runAt: t.now() + 250.5,
        leaseExpiresAt: null,
        error: errorOf('no route'),
      });
      assert.deepEqual(await t.attempts(job.id), [
        {
          attempt: 1,
          outcome: 'failed',
          workerId: 'w-1',
          startedAt: before.startedAt,
          endedAt: t.now(),
          error: errorOf('no route'),
        },
      ]);
      await t.advance(250);
      assert.deepEqual(await t.claimIds(), []);
      await t.advance(1);
      assert.equal((await t.claimOne()).job.attempt, 2);
    },

    'dead ends the job with its error and the attempt in its history': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne({ workerId: 'w-1' });
      const before = await t.job(job.id);
      await t.advance(30);
      const answer = await t.settle(lease, died('broken'));
      assert.deepEqual(answer, { status: 'settled', state: 'dead', runAt: before.runAt });
      const ended = { ...before, state: 'dead', finishedAt: t.now(), leaseExpiresAt: null, error: errorOf('broken') };
      assert.deepEqual(await t.job(job.id), ended);
      const [attempt, ...more] = await t.attempts(job.id);
      assert.deepEqual([attempt?.attempt, attempt?.outcome, attempt?.endedAt], [1, 'failed', t.now()]);
      assert.deepEqual(more, []);
      assert.deepEqual(await t.claimIds(), []);
    },

    'release gives the attempt back': async (t) => {
      await t.enqueueOne();
      const { job, lease } = await t.claimOne();
      const before = await t.job(job.id);
      await t.advance(30);
      const answer = await t.settle(lease, RELEASED);
      assert.deepEqual(answer, { status: 'settled', state: 'pending', runAt: before.runAt });
      const released = { ...before, state: 'pending', attempt: 0, startedAt: null, leaseExpiresAt: null };
      assert.deepEqual(await t.job(job.id), released);
      assert.deepEqual(await t.attempts(job.id), []);
      assert.equal((await t.claimOne()).job.attempt, 1);
    },

    'release of a later attempt keeps what is known of those before': async (t) => {
      const id = await t.enqueueOne();
      await t.settle((await t.claimOne()).lease, failed(0, 'first'));
      const { lease } = await t.claimOne();
      const before = await t.job(id);
      const history = await t.attempts(id);
      await t.settle(lease, RELEASED);
      assert.deepEqual(await t.job(id), { ...before, state: 'pending', attempt: 1, leaseExpiresAt: null });
      assert.deepEqual(await t.attempts(id), history);
      assert.equal((await t.claimOne()).job.attempt, 2);
    },

    'the error of the last attempt stays while the next one runs, and goes with a success': async (t) => {
      const id = await t.enqueueOne();
      await t.settle((await t.claimOne()).lease, failed(0, 'first'));
      const { job, lease } = await t.claimOne();
      assert.deepEqual(job.error, errorOf('first'));
      await t.settle(lease, succeeded('ok'));
      assert.equal((await t.job(id)).error, null);
      assert.equal((await t.attempts(id)).length, 1);
    },

    'stores errors with and without a stack, in any script': async (t) => {
      for (const error of [
        { name: 'E', message: '', stack: null },
        { name: 'Ошибка', message: '失败 🚀\u0000\n', stack: 'x'.repeat(8192) },
      ]) {
        const id = await t.enqueueOne();
        await t.settle((await t.claimOne()).lease, { kind: 'dead', error });
        assert.deepEqual((await t.job(id)).error, error);
        assert.deepEqual((await t.attempts(id))[0]?.error, error);
      }
    },

    'a repeat of a settle is told what is, and changes nothing': async (t) => {
      for (const outcome of [succeeded('one'), failed(500), died(), RELEASED]) {
        const id = await t.enqueueOne({ name: outcome.kind });
        const { lease } = await t.claimOne({ names: [outcome.kind] });
        const first = await t.settle(lease, outcome);
        await t.advance(10);
        for (const repeat of [outcome, succeeded('two'), died('again')]) {
          assert.deepEqual(await t.assertUnchanged(id, () => t.settle(lease, repeat)), first, outcome.kind);
        }
      }
    },

    'a repeat is told the state of now, until a later attempt settles': async (t) => {
      const id = await t.enqueueOne();
      const first = await t.claimOne();
      await t.settle(first.lease, failed(0));
      const second = await t.claimOne();
      const { runAt } = await t.job(id);
      const repeat = () => t.assertUnchanged(id, () => t.settle(first.lease, failed(0)));
      assert.deepEqual(await repeat(), { status: 'settled', state: 'running', runAt });
      await t.settle(second.lease, succeeded(1));
      assert.deepEqual(await repeat(), LEASE_LOST);
    },

    'a repeat is known after the next attempt was lost, and after a dead job was retried': async (t) => {
      const id = await t.enqueueOne();
      const first = await t.claimOne();
      await t.settle(first.lease, died());
      await t.retry(id);
      const waiting = { status: 'settled', state: 'pending', runAt: t.now() } as const;
      assert.deepEqual(await t.settle(first.lease, died()), waiting);
      await t.claimOne({ leaseMs: 10 });
      await t.advance(10);
      await t.storage.reclaimExpired({ limit: 1 });
      assert.deepEqual(await t.settle(first.lease, died()), { ...waiting, runAt: t.now() });
    },

    'the first of two settlements of one lease in a batch stands': async (t) => {
      const id = await t.enqueueOne();
      const { lease } = await t.claimOne();
      const results = await t.storage.settle({
        settlements: [
          { lease, outcome: succeeded('first') },
          { lease, outcome: died('second') },
        ],
      });
      const settled = { status: 'settled', state: 'success', runAt: (await t.job(id)).runAt };
      assert.deepEqual(results, [settled, settled]);
      assert.equal((await t.job(id)).error, null);
    },

    'one of many concurrent settlements of one lease stands': async (t) => {
      const id = await t.enqueueOne();
      const { lease } = await t.claimOne();
      const results = await Promise.all(Array.from({ length: 20 }, (_, i) => t.settle(lease, died(`error ${i}`))));
      assert.ok(results.every(({ status }) => status === 'settled'));
      assert.equal((await t.attempts(id)).length, 1);
      assert.deepEqual((await t.job(id)).error, (await t.attempts(id))[0]?.error);
    },

    'settles by position, stale leases between good ones': async (t) => {
      await t.enqueue({}, {}, {}, {});
      const claimed = await t.claim();
      const [a, b, c, d] = claimed.map(({ lease }) => lease) as [Lease, Lease, Lease, Lease];
      const results = await t.storage.settle({
        settlements: [
          { lease: a, outcome: succeeded(1) },
          { lease: { ...b, token: 'forged' }, outcome: succeeded(2) },
          { lease: c, outcome: failed(5) },
          { lease: d, outcome: died() },
        ],
      });
      const answers = results.map((result) => (result.status === 'settled' ? result.state : result.status));
      assert.deepEqual(answers, ['success', 'lease_lost', 'pending', 'dead']);
      const stored = await t.storage.getJobs({ jobIds: claimed.map(({ job }) => job.id) });
      assert.deepEqual(
        stored.map((job) => job?.state),
        ['success', 'running', 'pending', 'dead'],
      );
    },

    'answers an empty batch with nothing': async (t) => {
      assert.deepEqual(await t.storage.settle({ settlements: [] }), []);
    },

    'keeps the last attempts of a long history, oldest first': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 100 } });
      const total = MAX_ATTEMPT_HISTORY + 5;
      for (let attempt = 1; attempt <= total; attempt++) {
        await t.settle((await t.claimOne()).lease, failed(0, `error ${attempt}`));
        const kept = Array.from({ length: Math.min(attempt, MAX_ATTEMPT_HISTORY) }, (_, i) => attempt - i).reverse();
        const history = await t.attempts(id);
        assert.deepEqual(
          history.map((entry) => entry.attempt),
          kept,
        );
        assert.deepEqual(
          history.map(({ error }) => error.message),
          kept.map((n) => `error ${n}`),
        );
      }
    },
  },
};
