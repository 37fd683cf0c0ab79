import { expect, it, onTestFinished } from 'vitest';
import { createLmdbHarness } from '../conformance/lmdb-harness.ts';
import { ids, newJob } from '../processes/new-job.ts';

const DAY_MS = 86_400_000;

it('a prune finds old jobs behind many that were created early and finished late', async () => {
  const fixture = await createLmdbHarness('inline').open();
  onTestFinished(() => fixture.destroy());
  const { storage } = fixture;
  const finish = async (limit: number): Promise<void> => {
    const leaseToken = ids.next();
    const { jobs } = await storage.claim({ workerId: 'w', leaseToken, names: ['test:job'], limit, leaseMs: 1000 });
    await storage.settle({
      settlements: jobs.map(({ id, attempt }) => ({
        lease: { jobId: id, attempt, token: leaseToken },
        outcome: { kind: 'success', result: null },
      })),
    });
  };
  const late = Array.from({ length: 9000 }, () => newJob({ delayMs: 5 * DAY_MS }));
  await storage.enqueue({ jobs: late });
  await fixture.advance(1);
  await storage.enqueue({ jobs: Array.from({ length: 10 }, () => newJob()) });
  await finish(10);
  await fixture.advance(5 * DAY_MS);
  await finish(9000);

  const params = { state: 'success', olderThanMs: 2 * DAY_MS, limit: 500 } as const;
  const pruned: number[] = [];
  for (let call = 0; call < 4; call++) pruned.push((await storage.prune(params)).pruned);
  expect(pruned).toEqual([0, 0, 10, 0]);
  await fixture.advance(3 * DAY_MS);
  expect(await storage.prune(params)).toEqual({ pruned: 500, hasMore: true });
});
