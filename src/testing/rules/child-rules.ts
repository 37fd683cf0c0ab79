import assert from 'node:assert/strict';
import { FINISHED_STATES, type FinishedState, JOB_STATES } from '../../core/job.ts';
import { collectHints, isWorkHint } from '../hint-collector.ts';
import { type Claimed, died, failed, type RuleContext, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';
import { newStep, StepContext, suspended } from '../step-context.ts';

/** A running parent, and a child of it in each state; ids by state. */
async function makeFamily(t: RuleContext): Promise<{ parent: Claimed; ids: Map<string, string> }> {
  const s = new StepContext(t);
  const parent = await s.start('parent');
  const ids = new Map<string, string>();
  for (const [i, state] of JOB_STATES.entries()) {
    const id = await s.recordChild(parent.lease, i, t.newJob({ name: `child-${state}` }));
    ids.set(state, id);
    if (state === 'pending') continue;
    if (state === 'cancelled') await t.cancel(id);
    else await endChild(t, `child-${state}`, state);
    await t.advance(1);
  }
  return { parent, ids };
}

async function endChild(t: RuleContext, name: string, state: 'running' | 'success' | 'dead'): Promise<void> {
  const { lease } = await t.claimOne({ names: [name] });
  if (state !== 'running') await t.settle(lease, state === 'success' ? succeeded(1) : died());
}

async function endParent(t: RuleContext, { job, lease }: Claimed, state: FinishedState): Promise<void> {
  if (state === 'cancelled') await t.settle(lease, failed(0));
  else await t.settle(lease, state === 'success' ? succeeded(1) : died());
  if (state === 'cancelled') await t.cancel(job.id);
  assert.equal((await t.job(job.id)).state, state);
}

export const childRules: RuleGroup = {
  topic: 'children',
  needs: null,
  rules: {
    'makes a child as any job is made, but for its parent': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent', { delayMs: 0 });
      assert.equal(job.parentId, null);
      const draft = { name: 'child', priority: 7, delayMs: 250.5, idempotencyKey: 'k', options: { maxAttempts: 9 } };
      const child = t.newJob(draft);
      await t.advance(5);
      assert.equal(await s.recordChild(lease, 0, child), child.id);
      await t.enqueue({ ...draft, idempotencyKey: 'other' });
      const { jobs } = await t.list({ names: ['child'] });
      const called = jobs[1];
      assert.ok(called !== undefined);
      const expected = { ...called, id: child.id, parentId: job.id, idempotencyKey: 'k' };
      assert.deepEqual(jobs[0], expected);
      assert.equal((await t.job(child.id)).parentId, job.id);
      assert.deepEqual(await s.steps(job.id), [{ hex: hexOf('calls child'), jobId: child.id }]);
      await t.advance(251);
      const [first] = await t.claim({ names: ['child'] });
      assert.deepEqual([first?.job.id, first?.job.parentId], [child.id, job.id]);
    },

    'hints at the work that children are': async (t) => {
      const s = new StepContext(t);
      const { lease } = await s.start('parent');
      const hints = collectHints(t.storage);
      await s.record(lease, 0, newStep('a', t.newJob({ name: 'x' })), newStep('b', t.newJob({ name: 'y' })));
      for (const name of ['x', 'y']) await hints.until(t, isWorkHint(name));
    },

    'claims children in the order of their steps, after what was enqueued before': async (t) => {
      const s = new StepContext(t);
      const { lease } = await s.start('parent');
      const before = await t.enqueueOne();
      const ids = [t.nextId(), t.nextId(), t.nextId()].reverse();
      await s.record(lease, 0, ...ids.map((id) => newStep(id, t.newJob({ id }))));
      const after = await t.enqueueOne();
      assert.deepEqual(await t.claimIds(), [before, ...ids, after]);
    },

    'gives the job that already has the key of a child, and makes none': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const known = await t.enqueueOne({ name: 'child', idempotencyKey: 'k' });
      const child = () => t.newJob({ name: 'child', idempotencyKey: 'k' });
      assert.equal(await s.recordChild(lease, 0, child()), known);
      const twins = await s.record(
        lease,
        1,
        newStep('a', t.newJob({ name: 'child', idempotencyKey: 'new' })),
        newStep('b', t.newJob({ name: 'child', idempotencyKey: 'new' })),
      );
      assert.equal(twins.status, 'recorded');
      const [first, second] = twins.jobIds;
      assert.equal(second, first);
      assert.deepEqual(
        (await s.steps(job.id)).map(({ jobId }) => jobId),
        [known, first, first],
      );
      assert.equal((await t.job(known)).parentId, null, 'who made it stays');
      assert.deepEqual((await t.list({ names: ['child'] })).ids, [known, first]);
      assert.equal(await t.enqueueOne({ name: 'child', idempotencyKey: 'new' }), first, 'a later call meets the child');
    },

    'gives the job of a known id, and makes none': async (t) => {
      const s = new StepContext(t);
      const { lease } = await s.start('parent');
      const known = t.newJob({ name: 'child' });
      await t.storage.enqueue({ jobs: [known] });
      const before = await t.job(known.id);
      assert.equal(await s.recordChild(lease, 0, { ...known, name: 'other' }), known.id);
      assert.deepEqual(await t.job(known.id), before);
      assert.equal((await t.list()).total, 2);
    },

    'lets children have children': async (t) => {
      const s = new StepContext(t);
      const parent = await s.start('parent');
      const child = await s.startChild(parent.lease, 0, 'child');
      const grandchild = await s.startChild(child.lease, 0, 'grandchild');
      assert.deepEqual((await t.list({ parentId: parent.job.id })).ids, [child.job.id]);
      assert.deepEqual((await t.list({ parentId: child.job.id })).ids, [grandchild.job.id]);
      assert.deepEqual((await t.list({ parentId: grandchild.job.id })).ids, []);
    },

    'lists the children of one job, by state and name': async (t) => {
      const { parent, ids } = await makeFamily(t);
      const s = new StepContext(t);
      const other = await s.start('other-parent');
      await s.recordChild(other.lease, 0, t.newJob({ name: 'child-success' }));
      await t.enqueueOne({ name: 'child-dead' });
      const parentId = parent.job.id;
      const all = await t.list({ parentId });
      assert.deepEqual([all.ids, all.total], [[...ids.values()], JOB_STATES.length]);
      for (const summary of all.jobs) assert.equal(summary.parentId, parentId);
      for (const states of [['dead'], ['success', 'pending'], []] as const) {
        const listed = await t.list({ parentId, states });
        const expected = [...ids].filter(([state]) => (states as readonly string[]).includes(state));
        assert.deepEqual([listed.ids.sort(), listed.total], [expected.map(([, id]) => id).sort(), expected.length]);
      }
      assert.deepEqual((await t.list({ parentId, names: ['child-dead', 'parent'] })).ids, [ids.get('dead')]);
      const none = await t.list({ parentId, names: ['child-dead'], states: ['success'] });
      assert.deepEqual([none.ids, none.total], [[], 0]);
      assert.deepEqual(await t.list({ parentId: t.nextId() }), { ids: [], jobs: [], total: 0 });
    },

    'pages the children of one job, in either order': async (t) => {
      const s = new StepContext(t);
      const { job, lease } = await s.start('parent');
      const other = await s.start('other');
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) {
        ids.push(await s.recordChild(lease, i, t.newJob({ name: `child-${i % 2}`, runAt: 100 - i })));
        await s.recordChild(other.lease, i, t.newJob());
        if (i % 3 === 0) await t.advance(1);
      }
      for (const [offset, limit] of [
        [0, 5],
        [5, 5],
        [10, 5],
        [12, 5],
      ] as const) {
        for (const isAscending of [true, false]) {
          const ordered = isAscending ? ids : ids.toReversed();
          const byCreation = await t.list({ parentId: job.id, offset, limit, isAscending });
          const byDue = await t.list({
            parentId: job.id,
            offset,
            limit,
            isAscending: !isAscending,
            orderBy: 'scheduledAt',
          });
          const expected = [ordered.slice(offset, offset + limit), ids.length];
          assert.deepEqual([byCreation.ids, byCreation.total], expected);
          assert.deepEqual([byDue.ids, byDue.total], expected);
        }
      }
      const odd = await t.list({ parentId: job.id, names: ['child-1'], offset: 1, limit: 3 });
      assert.deepEqual([odd.ids, odd.total], [[ids[3], ids[5], ids[7]], 6]);
    },

    'prunes no child of a job that goes on, and every one after it': async (t) => {
      for (const end of FINISHED_STATES) {
        const { parent, ids } = await makeFamily(t);
        const children = FINISHED_STATES.map((state) => ids.get(state) as string);
        await pruneEverything(t);
        assert.equal(await countStored(t, children), 3, 'while the parent runs');
        await t.settle(parent.lease, suspended({ wakeAt: t.now() }));
        await pruneEverything(t);
        assert.equal(await countStored(t, children), 3, 'while it is suspended');
        await endParent(t, await t.claimOne({ names: ['parent'] }), end);
        assert.equal(await countStored(t, children), 3);
        await pruneEverything(t);
        assert.equal(await countStored(t, children), 0, `after the parent is ${end}`);
      }
    },

    'keeps the children of a dead job that is retried': async (t) => {
      const { parent, ids } = await makeFamily(t);
      await endParent(t, parent, 'dead');
      await t.retry(parent.job.id);
      await pruneEverything(t);
      assert.equal(await countStored(t, [...ids.values()]), JOB_STATES.length);
    },

    'prunes children that end after their parent is gone': async (t) => {
      const s = new StepContext(t);
      const parent = await s.start('parent');
      const child = await s.startChild(parent.lease, 0, 'child');
      await t.settle(parent.lease, succeeded(1));
      await pruneEverything(t);
      assert.equal(await countStored(t, [parent.job.id]), 0);
      assert.equal((await t.job(child.job.id)).parentId, parent.job.id);
      await t.settle(child.lease, succeeded(1));
      await pruneEverything(t);
      assert.equal(await countStored(t, [child.job.id]), 0);
    },

    'prunes past the children that have to stay': async (t) => {
      const s = new StepContext(t);
      const { lease } = await s.start('parent');
      for (let i = 0; i < 7; i++) {
        const child = await s.startChild(lease, i, 'child');
        await t.settle(child.lease, succeeded(1));
        await t.advance(1);
      }
      const id = await t.enqueueIn('success');
      await t.advance(1);
      assert.equal(await t.pruneAll('success', 2), 1);
      assert.equal(await countStored(t, [id]), 0);
    },
  },
};

/** Prunes all that has finished, but for what has to stay. */
async function pruneEverything(t: RuleContext): Promise<void> {
  await t.advance(1);
  for (const state of FINISHED_STATES) await t.pruneAll(state, 2);
}

async function countStored(t: RuleContext, jobIds: readonly string[]): Promise<number> {
  return (await t.storage.getJobs({ jobIds })).filter((job) => job !== null).length;
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}
