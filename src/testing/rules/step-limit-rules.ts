import assert from 'node:assert/strict';
import { LIMITS } from '../../core/options.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, StepContext, suspended } from '../step-context.ts';

/** What a step says beside the value that it holds may take so much. */
const STEP_OVERHEAD_BYTES = 4096;

function largeBytes(seed: number, length: number): Uint8Array {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 251 }, (_, i) => (i * 31 + seed) % 251),
  );
}

export const stepLimitRules: RuleGroup = {
  topic: 'limits of steps and signals',
  needs: null,
  rules: {
    'carries steps of the largest size, many in one call, at least one a page': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      const bodies = Array.from({ length: 20 }, (_, i) => largeBytes(i, LIMITS.payloadBytes + STEP_OVERHEAD_BYTES));
      const steps = bodies.map((body) => ({ body, child: null }));
      await s.record(lease, 0, ...steps.slice(0, 16), newStep('small'));
      await s.record(lease, 17, ...steps.slice(16));
      const [first] = await t.storage.getSteps({ jobId: job.id, from: 0, limit: 1 });
      assert.equal(Buffer.compare(first?.body as Uint8Array, bodies[0] as Uint8Array), 0);
      const read = await s.steps(job.id, LIMITS.steps);
      const expected = bodies.map((body) => Buffer.from(body).toString('hex'));
      expected.splice(16, 0, Buffer.from('small').toString('hex'));
      assert.equal(read.length, expected.length);
      for (const [i, { hex }] of read.entries()) assert.ok(hex === expected[i], `step ${i}`);
    },

    'carries signals of the largest size, many in one call, at least one a page': async (t) => {
      const s = new StepContext(t);
      const jobId = await t.enqueueOne();
      const payloads = Array.from({ length: 16 }, (_, i) => largeBytes(i, LIMITS.payloadBytes));
      const signals = payloads.map((bytes) => s.newSignal(jobId, { payload: { encoding: 'msgpack', bytes } }));
      await t.storage.signal({ signals });
      const read = await s.signals(jobId, LIMITS.signals);
      assert.equal(read.length, payloads.length);
      for (const [i, { payload }] of read.entries()) {
        assert.ok(payload?.hex === Buffer.from(payloads[i] as Uint8Array).toString('hex'), `signal ${i}`);
      }
    },

    'refuses more signals than a job may have, whatever its state': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('task');
      const page = 1000;
      const last = s.newSignal(job.id, { name: 'last' });
      for (let sent = 0; sent < LIMITS.signals; sent += page) {
        const signals = Array.from({ length: page }, (_, i) => s.newSignal(job.id, { name: `signal ${sent + i}` }));
        if (sent + page === LIMITS.signals) signals.splice(-1, 1, last);
        const results = await t.storage.signal({ signals });
        assert.ok(results.every(({ status }) => status === 'stored'));
      }
      const refused = { status: 'refused', state: 'running' };
      assert.deepEqual(await t.assertUnchanged(job.id, () => s.signal(job.id)), refused);
      assert.deepEqual(await t.storage.signal({ signals: [last, s.newSignal(job.id)] }), [
        { status: 'stored' },
        refused,
      ]);
      await t.settle(lease, suspended({ signalsSeen: LIMITS.signals }));
      assert.deepEqual(await s.signal(job.id), { status: 'refused', state: 'pending' });
      assert.equal(await s.isWoken(job.id), false);
      const names = await s.signalNames(job.id);
      assert.deepEqual([names.length, names[4321], names.at(-1)], [LIMITS.signals, 'signal 4321', 'last']);
    },

    'remembers many steps, with many children, through a long life': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const count = 5000;
      const children = Array.from({ length: count }, (_, i) => t.newJob({ name: 'child', idempotencyKey: `key-${i}` }));
      const page = 1000;
      for (let from = 0; from < count; from += page) {
        const steps = children.slice(from, from + page).map((child) => newStep(child.id, child));
        assert.equal((await s.record(lease, from, ...steps)).status, 'recorded');
      }
      const ids = children.map(({ id }) => id);
      assert.deepEqual(
        (await s.steps(job.id, 1000)).map(({ jobId }) => jobId),
        ids,
      );
      await s.awaitJobs(lease, ...ids);
      assert.equal(await s.isWoken(job.id), false);
      assert.equal((await t.list({ parentId: job.id, limit: 1 })).total, count);
      await t.storage.cancel({ jobIds: ids, isRunningIncluded: false });
      assert.equal((await t.claimOne({ names: ['parent'] })).job.stepCount, count);
      await t.advance(1);
      assert.equal(await t.pruneAll('cancelled', count), 0);
      assert.equal((await t.list({ parentId: job.id, states: ['cancelled'], limit: 1 })).total, count);
    },
  },
};
