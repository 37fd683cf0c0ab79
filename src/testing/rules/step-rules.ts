import assert from 'node:assert/strict';
import type { Lease } from '../../core/job.ts';
import type { RecordStepsResult } from '../../core/step-operations.ts';
import { died, failed, RELEASED, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, StepContext, suspended } from '../step-context.ts';

const LOST: RecordStepsResult = { status: 'lease_lost' };

function recorded(...jobIds: (string | null)[]): RecordStepsResult {
  return { status: 'recorded', jobIds };
}

/** Checks that a recording under `lease` is told that it came too late, and changes nothing. */
async function assertRefused(t: RuleContext, lease: Lease, from: number): Promise<void> {
  const s = new StepContext(t);
  const before = [await s.steps(lease.jobId), await t.storage.counts()];
  const child = t.newJob({ name: 'child', idempotencyKey: t.nextId() });
  assert.deepEqual(await s.record(lease, from, newStep('late'), newStep('late call', child)), LOST);
  assert.deepEqual([await s.steps(lease.jobId), await t.storage.counts()], before, 'nothing may be stored');
  assert.deepEqual(await t.storage.getJobs({ jobIds: [child.id] }), [null]);
}

async function loseLease(t: RuleContext): Promise<void> {
  await t.advance(10);
  assert.equal((await t.storage.reclaimExpired({ limit: 1 })).jobs.length, 1);
}

export const stepRules: RuleGroup = {
  topic: 'steps',
  needs: null,
  rules: {
    'adds steps to what a running job remembers, in order': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const before = await t.job(job.id);
      assert.equal(before.stepCount, 0);
      assert.deepEqual(await s.record(lease, 0, newStep('a'), newStep('b')), recorded(null, null));
      assert.deepEqual(await s.record(lease, 2, newStep('c')), recorded(null));
      assert.deepEqual(await s.texts(job.id), ['a', 'b', 'c']);
      assert.deepEqual(await t.job(job.id), { ...before, stepCount: 3 });
    },

    'keeps bodies as they are: none, all bytes': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const bodies = [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, i) => i), Buffer.from('\\x00')];
      await s.record(lease, 0, ...bodies.map((body) => ({ body, child: null })));
      const expected = bodies.map((body) => ({ hex: Buffer.from(body).toString('hex'), jobId: null }));
      assert.deepEqual(await s.steps(job.id), expected);
    },

    'reads no steps of a job that has none or is not there': async (t) => {
      const s = new StepContext(t);
      assert.deepEqual(await s.steps(await t.enqueueOne()), []);
      assert.deepEqual(await s.steps(t.nextId()), []);
    },

    'gives steps from a place, up to the limit': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const texts = Array.from({ length: 25 }, (_, i) => `step ${i}`);
      await s.record(lease, 0, ...texts.slice(0, 13).map((text) => newStep(text)));
      await s.record(lease, 13, ...texts.slice(13).map((text) => newStep(text)));
      const pages = [
        [0, 1],
        [0, 10],
        [10, 10],
        [12, 2],
        [20, 10],
        [24, 1],
        [25, 10],
        [1000, 1],
      ] as const;
      for (const [from, limit] of pages) {
        const page = await t.storage.getSteps({ jobId: job.id, from, limit });
        const read = page.map(({ body }) => Buffer.from(body).toString());
        assert.deepEqual(read, texts.slice(from, from + limit), `${from} + ${limit}`);
      }
      for (const limit of [1, 4, 1000]) assert.equal((await s.steps(job.id, limit)).length, texts.length);
    },

    'keeps the steps of jobs apart': async (t) => {
      const s = new StepContext(t);
      const a = await s.start('a');
      const b = await s.start('b');
      await s.record(a.lease, 0, newStep('of a'));
      await s.record(b.lease, 0, newStep('of b'), newStep('of b too'));
      assert.deepEqual(await s.texts(a.job.id), ['of a']);
      assert.deepEqual(await s.texts(b.job.id), ['of b', 'of b too']);
    },

    'records under a lease that nobody was given nothing': async (t) => {
      const s = new StepContext(t);
      const { lease } = await s.start('parent');
      await s.record(lease, 0, newStep('a'));
      await assertRefused(t, { ...lease, token: 'forged' }, 1);
      await assertRefused(t, { ...lease, token: t.nextToken() }, 1);
      await assertRefused(t, { ...lease, attempt: lease.attempt + 1 }, 1);
      await assertRefused(t, { ...lease, attempt: lease.attempt - 1 }, 1);
      await assertRefused(t, { ...lease, jobId: t.nextId() }, 0);
    },

    'a worker whose attempt has ended cannot record': async (t) => {
      const s = new StepContext(t);
      for (const outcome of [succeeded(1), died(), failed(0), RELEASED, suspended()]) {
        const { lease } = await s.start(outcome.kind);
        await s.record(lease, 0, newStep('in time'));
        await t.settle(lease, outcome);
        await assertRefused(t, lease, 1);
        // Not even what it recorded in time is taken for a repeat.
        await assertRefused(t, lease, 0);
      }
    },

    'a worker that lost its lease cannot record, though its lease may be late and still held': async (t) => {
      const s = new StepContext(t);
      const stale = await s.start('parent', {}, 100);
      await t.advance(1000);
      assert.deepEqual(await s.record(stale.lease, 0, newStep('late but held')), recorded(null));
      await t.storage.reclaimExpired({ limit: 1 });
      await assertRefused(t, stale.lease, 1);
      const held = await t.claimOne({ names: ['parent'] });
      await assertRefused(t, stale.lease, 1);
      assert.deepEqual(await s.record(held.lease, 1, newStep('b')), recorded(null));
      assert.deepEqual(await s.texts(held.job.id), ['late but held', 'b']);
    },

    'answers the repeat of a recording as before, and stores nothing twice': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const child = t.newJob({ name: 'child' });
      const steps = [newStep('a'), newStep('b', child), newStep('c')];
      const first = await s.record(lease, 0, ...steps);
      assert.deepEqual(first, recorded(null, child.id, null));
      assert.deepEqual(await s.record(lease, 0, ...steps), first);
      await s.record(lease, 3, newStep('d'));
      assert.deepEqual(await s.record(lease, 0, ...steps), first, 'after later ones too');
      assert.deepEqual(await s.record(lease, 1, newStep('b', child)), recorded(child.id), 'a part of it too');
      assert.deepEqual(await s.texts(job.id), ['a', 'b', 'c', 'd']);
      assert.equal((await t.job(job.id)).stepCount, 4);
      assert.equal((await t.list()).total, 2);
    },

    'refuses steps that do not follow those that are there': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      await assertRefused(t, lease, 1);
      await s.record(lease, 0, newStep('a'), newStep('b'));
      // One of the two that assertRefused would record is there, and one is not.
      await assertRefused(t, lease, 1);
      await assertRefused(t, lease, 3);
      assert.deepEqual(await s.record(lease, 2, newStep('c')), recorded(null));
      assert.deepEqual(await s.texts(job.id), ['a', 'b', 'c']);
    },

    'records by position, stale leases between good ones': async (t) => {
      const s = new StepContext(t);
      const [a, b, c] = [await s.start('a'), await s.start('b'), await s.start('c')];
      await t.settle(b.lease, succeeded(1));
      const [ofA, ofB, ofC] = [t.newJob({ name: 'x' }), t.newJob({ name: 'x' }), t.newJob({ name: 'x' })];
      const results = await t.storage.recordSteps({
        recordings: [
          { lease: a.lease, from: 0, steps: [newStep('a', ofA)] },
          { lease: b.lease, from: 0, steps: [newStep('b', ofB)] },
          { lease: c.lease, from: 0, steps: [newStep('c', ofC)] },
          { lease: a.lease, from: 1, steps: [newStep('more of a')] },
          { lease: a.lease, from: 0, steps: [newStep('a', ofA)] },
        ],
      });
      assert.deepEqual(results, [recorded(ofA.id), LOST, recorded(ofC.id), recorded(null), recorded(ofA.id)]);
      assert.deepEqual(await s.texts(a.job.id), ['a', 'more of a']);
      assert.deepEqual([await s.texts(b.job.id), await s.texts(c.job.id)], [[], ['c']]);
      assert.deepEqual(await t.claimIds({ names: ['x'] }), [ofA.id, ofC.id]);
      assert.deepEqual(await t.storage.recordSteps({ recordings: [] }), []);
    },

    'one of many concurrent recordings at one place stands': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const children = Array.from({ length: 10 }, () => t.newJob({ name: 'child' }));
      const results = await Promise.all(children.map((child) => s.record(lease, 0, newStep(child.id, child))));
      const [winner] = await s.steps(job.id);
      assert.equal((await t.job(job.id)).stepCount, 1);
      for (const result of results) assert.deepEqual(result, recorded(winner?.jobId ?? null));
      assert.deepEqual(await t.claimIds({ names: ['child'] }), [winner?.jobId]);
    },

    'keeps steps whatever becomes of the job': async (t) => {
      const s = new StepContext(t);
      const id = await t.enqueueOne({ options: { maxAttempts: 4 } });
      const texts: string[] = [];
      for (const outcome of [failed(0), RELEASED, suspended({ wakeAt: 0 }), null, died(), succeeded(1)]) {
        const { job, lease } = await t.claimOne({ leaseMs: 10 });
        assert.equal(job.stepCount, texts.length);
        texts.push(`before ${outcome?.kind ?? 'the lease was lost'}`);
        await s.record(lease, texts.length - 1, newStep(texts.at(-1) as string));
        if (outcome !== null) await t.settle(lease, outcome);
        else await loseLease(t);
        assert.deepEqual(await s.texts(id), texts);
        assert.equal((await t.job(id)).stepCount, texts.length);
        if (outcome?.kind === 'dead') await t.retry(id);
        assert.deepEqual(await s.texts(id), texts);
      }
    },
  },
};
