import assert from 'node:assert/strict';
import { FINISHED_STATES } from '../../core/job.ts';
import { LIMITS } from '../../core/options.ts';
import type { Payload } from '../../core/payload.ts';
import { collectHints, isSignalsHint, isWorkHint } from '../hint-collector.ts';
import { comparablePayload, failed, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { payloadOf, StepContext, suspended } from '../step-context.ts';

const STORED = { status: 'stored' };

export const signalRules: RuleGroup = {
  topic: 'signals',
  needs: null,
  rules: {
    'stores signals in the order in which they were sent': async (t) => {
      const s = new StepContext(t);
      const { job } = await s.start('task');
      const before = await t.job(job.id);
      assert.equal(before.signalCount, 0);
      // Ids that sort otherwise show whose order it is.
      const ids = Array.from({ length: 4 }, () => t.nextId()).reverse();
      const signals = ids.map((id, i) => s.newSignal(job.id, { id, name: `signal-${i % 2}`, payload: payloadOf([i]) }));
      assert.deepEqual(await t.storage.signal({ signals: signals.slice(0, 3) }), [STORED, STORED, STORED]);
      assert.deepEqual(await t.storage.signal({ signals: signals.slice(3) }), [STORED]);
      const expected = [0, 1, 2, 3].map((i) => ({
        name: `signal-${i % 2}`,
        payload: comparablePayload(payloadOf([i])),
      }));
      assert.deepEqual(await s.signals(job.id), expected);
      assert.deepEqual(await t.job(job.id), { ...before, signalCount: 4 });
    },

    'keeps payloads as they are: none, empty, of any encoding': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne();
      const payloads: (Payload | null)[] = [
        null,
        payloadOf(undefined),
        { encoding: 'json', bytes: Buffer.from('{"b":1, "a":[ ]}') },
        { encoding: 'json', bytes: new Uint8Array(0) },
        { encoding: 'msgpack', bytes: Uint8Array.from({ length: 256 }, (_, i) => i) },
      ];
      for (const payload of payloads) await s.signal(id, { payload });
      const read = (await s.signals(id)).map(({ payload }) => payload);
      const expected = payloads.map((payload) => (payload === null ? null : comparablePayload(payload)));
      assert.deepEqual(read, expected);
    },

    'keeps names as they are, in any script': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne();
      const names = ['go', 'go:on', 'Go', 'ведь', '\u{1f680}'.repeat(32), 'x'.repeat(LIMITS.requestNameBytes)];
      for (const name of names) await s.signal(id, { name });
      assert.deepEqual(await s.signalNames(id), names);
    },

    'reads no signals of a job that has none or is not there': async (t) => {
      const s = new StepContext(t);
      assert.deepEqual(await s.signals(await t.enqueueOne()), []);
      assert.deepEqual(await s.signals(t.nextId()), []);
    },

    'gives signals from a place, up to the limit': async (t) => {
      const s = new StepContext(t);
      const jobId = await t.enqueueOne();
      const names = Array.from({ length: 25 }, (_, i) => `signal ${i}`);
      await t.storage.signal({ signals: names.map((name) => s.newSignal(jobId, { name })) });
      const pages = [
        [0, 1],
        [0, 10],
        [10, 10],
        [20, 10],
        [24, 1],
        [25, 10],
        [1000, 1],
      ] as const;
      for (const [from, limit] of pages) {
        const page = await t.storage.getSignals({ jobId, from, limit });
        const read = page.map(({ name }) => name);
        assert.deepEqual(read, names.slice(from, from + limit), `${from} + ${limit}`);
      }
      for (const limit of [1, 4, 1000]) assert.equal((await s.signals(jobId, limit)).length, names.length);
    },

    'takes signals before, while and after the job runs, until it has finished': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne({ options: { maxAttempts: 9 } });
      const names = ['before'];
      await s.signal(id, { name: 'before' });
      for (const outcome of [failed(0), RELEASED, suspended({ wakeAt: 0 }), null]) {
        const { job, lease } = await t.claimOne({ leaseMs: 10 });
        assert.equal(job.signalCount, names.length);
        names.push(`before ${outcome?.kind}`, `after ${outcome?.kind}`);
        await s.signal(id, { name: `before ${outcome?.kind}` });
        if (outcome !== null) await t.settle(lease, outcome);
        await t.advance(10);
        await t.storage.reclaimExpired({ limit: 1 });
        assert.deepEqual(await s.signal(id, { name: `after ${outcome?.kind}` }), STORED);
        assert.deepEqual(await s.signalNames(id), names);
      }
    },

    'changes nothing else of the job, nor its lease': async (t) => {
      const s = new StepContext(t);
      for (const id of [await t.enqueueOne({ delayMs: 500 }), (await s.start('other')).job.id]) {
        const before = await t.job(id);
        await t.advance(5);
        await s.signal(id);
        assert.deepEqual(await t.job(id), { ...before, signalCount: 1 });
        assert.deepEqual(await t.attempts(id), []);
      }
      assert.deepEqual(await t.claimIds(), []);
    },

    'refuses signals to jobs that have finished, but keeps what they were sent': async (t) => {
      const s = new StepContext(t);
      for (const state of FINISHED_STATES) {
        const name = `task-${state}`;
        const id = await t.enqueueOne({ name });
        await s.signal(id, { name: 'early' });
        if (state === 'cancelled') await t.cancel(id);
        else if (state === 'success') await t.settle((await t.claimOne({ names: [name] })).lease, succeeded(1));
        else await s.awaitJobs((await t.claimOne({ names: [name] })).lease, id);
        const answer = await t.assertUnchanged(id, () => s.signal(id, { name: 'late' }));
        assert.deepEqual(answer, { status: 'refused', state });
        assert.deepEqual(await s.signalNames(id), ['early']);
        assert.equal((await t.job(id)).signalCount, 1);
        if (state !== 'dead') continue;
        await t.retry(id);
        assert.deepEqual(await s.signal(id, { name: 'after the retry' }), STORED);
        assert.deepEqual(await s.signalNames(id), ['early', 'after the retry']);
      }
    },

    'takes a known id for a repeat of the same call, which stores nothing': async (t) => {
      const s = new StepContext(t);
      const jobId = await t.enqueueOne();
      const signal = s.newSignal(jobId, { name: 'once' });
      const both = [signal, s.newSignal(jobId, { name: 'other' }), signal];
      assert.deepEqual(await t.storage.signal({ signals: both }), [STORED, STORED, STORED]);
      assert.deepEqual(await t.storage.signal({ signals: [signal] }), [STORED]);
      const { lease } = await t.claimOne();
      assert.deepEqual(await t.storage.signal({ signals: [signal] }), [STORED]);
      assert.deepEqual(await s.signalNames(jobId), ['once', 'other']);
      assert.equal((await t.job(jobId)).signalCount, 2);
      await s.suspend(lease, { signalsSeen: 2 });
      await t.storage.signal({ signals: [signal] });
      assert.equal(await s.isWoken(jobId), false, 'a repeat wakes nobody');
      await t.cancel(jobId);
      assert.deepEqual(await t.storage.signal({ signals: [signal] }), [STORED], 'nor is it refused later');
    },

    'answers by position, also for jobs that are not there or have finished': async (t) => {
      const s = new StepContext(t);
      const [a, b] = (await t.enqueue({}, {})) as [string, string];
      const finished = await t.enqueueIn('cancelled');
      const missing = t.nextId();
      const signals = [a, missing, b, finished, a].map((id, i) => s.newSignal(id, { name: `n${i}` }));
      const refused = { status: 'refused', state: 'cancelled' };
      assert.deepEqual(await t.storage.signal({ signals }), [STORED, { status: 'not_found' }, STORED, refused, STORED]);
      assert.deepEqual([await s.signalNames(a), await s.signalNames(b)], [['n0', 'n4'], ['n2']]);
      assert.deepEqual([await s.signalNames(missing), await s.signalNames(finished)], [[], []]);
      assert.deepEqual(await t.storage.signal({ signals: [] }), []);
    },

    'wakes a job that waits for more than it has seen': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.signal(job.id, { name: 'seen' });
      await t.advance(5);
      await s.suspend(lease, { signalsSeen: 1, wakeAt: t.now() + 1000 });
      assert.equal(await s.isWoken(job.id), false);
      await t.advance(5);
      const before = await t.job(job.id);
      const hints = collectHints(t.storage);
      await s.signal(job.id, { name: 'news' });
      assert.deepEqual(await t.job(job.id), { ...before, signalCount: 2, runAt: t.now() });
      await hints.until(t, isWorkHint('task'));
      const again = await t.claimOne();
      assert.deepEqual([again.job.id, again.job.signalCount], [job.id, 2]);
    },

    'does not wake a job that waits for more than came': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.suspend(lease, { signalsSeen: 2 });
      await s.signal(job.id);
      await s.signal(job.id);
      assert.equal(await s.isWoken(job.id), false);
      await s.signal(job.id);
      assert.equal(await s.isWoken(job.id), true);
    },

    'lets a job that waits for what was sent before go on at once': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      await s.signal(job.id);
      await t.advance(5);
      const answer = await s.suspend(lease, { signalsSeen: 0, wakeAt: t.now() + 1000 });
      assert.deepEqual(answer, { status: 'settled', state: 'pending', runAt: t.now() });
      assert.deepEqual(await t.claimIds(), [job.id]);
    },

    'hints at the signals': async (t) => {
      const s = new StepContext(t);
      const ids = await t.enqueue({}, {});
      const hints = collectHints(t.storage);
      await t.storage.signal({ signals: ids.map((id) => s.newSignal(id)) });
      for (const id of ids) await hints.until(t, isSignalsHint(id));
    },

    'stores each of many that are sent at the same time': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne();
      const names = Array.from({ length: 30 }, (_, i) => `signal ${i}`);
      await Promise.all(names.map((name) => s.signal(id, { name })));
      assert.deepEqual((await s.signalNames(id)).sort(), names.sort());
      assert.equal((await t.job(id)).signalCount, names.length);
    },
  },
};
