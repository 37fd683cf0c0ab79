import assert from 'node:assert/strict';
import type { StorageHint } from '../../core/storage.ts';
import { collectHints, isFinishedHint, isWorkHint } from '../hint-collector.ts';
import { died, failed, RELEASED, succeeded } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

export const watchRules: RuleGroup = {
  topic: 'watch',
  needs: null,
  rules: {
    'hints at work when jobs are enqueued': async (t) => {
      const hints = collectHints(t.storage);
      await t.enqueue({ name: 'a' }, { name: 'b' });
      for (const name of ['a', 'b']) await hints.until(t, isWorkHint(name));
    },

    'hints at work when an attempt goes back to pending': async (t) => {
      await t.enqueue({}, {});
      for (const outcome of [failed(0), RELEASED]) {
        const { lease } = await t.claimOne();
        const hints = collectHints(t.storage);
        await t.settle(lease, outcome);
        await hints.until(t, isWorkHint('task'));
      }
    },

    'hints at work when a lost job is reclaimed or a dead one is retried': async (t) => {
      const dead = await t.enqueueIn('dead');
      let hints = collectHints(t.storage);
      await t.retry(dead);
      await hints.until(t, isWorkHint('task'));
      await t.claimOne({ leaseMs: 1 });
      await t.advance(1);
      hints = collectHints(t.storage);
      await t.storage.reclaimExpired({ limit: 1 });
      await hints.until(t, isWorkHint('task'));
    },

    'hints at the end of jobs: success, dead, cancelled': async (t) => {
      const hints = collectHints(t.storage);
      for (const outcome of [succeeded(1), died()]) {
        const id = await t.enqueueOne();
        await t.settle((await t.claimOne()).lease, outcome);
        await hints.until(t, isFinishedHint(id));
      }
      const id = await t.enqueueOne();
      await t.cancel(id);
      await hints.until(t, isFinishedHint(id));
    },

    'hints at the end of a job whose last attempt was lost': async (t) => {
      const id = await t.enqueueOne({ options: { maxAttempts: 1 } });
      await t.claimOne({ leaseMs: 1 });
      await t.advance(1);
      const hints = collectHints(t.storage);
      await t.storage.reclaimExpired({ limit: 1 });
      await hints.until(t, isFinishedHint(id));
    },

    'tells every watcher, and none that has left': async (t) => {
      const left = collectHints(t.storage);
      const stayed = collectHints(t.storage);
      left.stop();
      left.stop();
      await t.enqueueOne();
      await stayed.until(t, isWorkHint('task'));
      assert.deepEqual(left.hints, []);
    },

    'lets one listener watch twice and leave once': async (t) => {
      const hints: StorageHint[] = [];
      const listener = (hint: StorageHint) => void hints.push(hint);
      t.storage.watch(listener)();
      const stop = t.storage.watch(listener);
      const other = collectHints(t.storage);
      await t.enqueueOne();
      await other.until(t, isWorkHint('task'));
      assert.ok(hints.some(isWorkHint('task')));
      stop();
    },

    'hints at no failure while nothing fails': async (t) => {
      const hints = collectHints(t.storage);
      await t.enqueueIn('success');
      await hints.until(t, (hint) => hint.kind === 'finished');
      assert.ok(hints.hints.every(({ kind }) => kind !== 'failed'));
    },
  },
};
