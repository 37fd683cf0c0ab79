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

it('a prune stops early behind jobs that remember much, and says that there is more', async () => {
  const fixture = await createLmdbHarness('inline').open();
  onTestFinished(() => fixture.destroy());
  const { storage } = fixture;
  const token = ids.next();
  await storage.enqueue({ jobs: [newJob(), newJob(), newJob()] });
  const claim = { workerId: 'w', leaseToken: token, names: ['test:job'], limit: 3, leaseMs: 1000 };
  const leases = (await storage.claim(claim)).jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
  const steps = Array.from({ length: 6000 }, () => ({ body: Buffer.from('step'), child: null }));
  await storage.recordSteps({ recordings: leases.map((lease) => ({ lease, from: 0, steps })) });
  const settlements = leases.map((lease) => ({ lease, outcome: { kind: 'success', result: null } as const }));
  await storage.settle({ settlements });
  await fixture.advance(1);
  const params = { state: 'success', olderThanMs: 0, limit: 500 } as const;
  expect(await storage.prune(params)).toEqual({ pruned: 2, hasMore: true });
  expect(await storage.prune(params)).toEqual({ pruned: 1, hasMore: false });
});

it('a prune that meets only children whose parents go on comes to its end', async () => {
  const fixture = await createLmdbHarness('inline').open();
  onTestFinished(() => fixture.destroy());
  const { storage } = fixture;
  const token = ids.next();
  await storage.enqueue({ jobs: [newJob()] });
  const claim = { workerId: 'w', leaseToken: token, names: ['test:job'], limit: 500, leaseMs: 1000 };
  const [parent] = (await storage.claim(claim)).jobs;
  const lease = { jobId: parent?.id as string, attempt: 1, token };
  const children = Array.from({ length: 500 }, () => newJob());
  const steps = children.map((child) => ({ body: Buffer.from('step'), child }));
  await storage.recordSteps({ recordings: [{ lease, from: 0, steps }] });
  await storage.cancel({ jobIds: children.map(({ id }) => id), isRunningIncluded: false });
  await fixture.advance(1);
  const params = { state: 'cancelled', olderThanMs: 0, limit: 100 } as const;
  expect(await storage.prune(params)).toEqual({ pruned: 0, hasMore: false });
  await storage.settle({ settlements: [{ lease, outcome: { kind: 'success', result: null } }] });
  expect(await storage.prune(params)).toEqual({ pruned: 100, hasMore: true });
});
