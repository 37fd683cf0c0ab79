import { describe, expect, it, onTestFinished } from 'vitest';
import { Reseolio } from '../../../src/index.ts';
import { freshSchema, urlWith } from '../../postgres/postgres-fixture.ts';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { within } from '../postgres/crash-run.ts';
import { startParentsNode } from './parents-node.ts';
import { CHILDREN_PER_PARENT, childOf } from './parents-plan.ts';

const PARENTS = 100;
/** Far longer than it takes: it hangs. */
const RUN_MS = 120_000;

const numbers = Array.from({ length: PARENTS }, (_, n) => n);
const childrenOf = (parent: number): number[] =>
  Array.from({ length: CHILDREN_PER_PARENT }, (_, index) => childOf(parent, index));

/** A client that runs nothing. */
async function startCaller(storage: string): Promise<Reseolio> {
  const caller = new Reseolio({ storage, workerConcurrency: 0 });
  onTestFinished(() => caller.stop());
  await caller.start();
  return caller;
}

async function describeUnfinished(caller: Reseolio): Promise<string> {
  const { jobs } = await caller.listJobs({ statuses: ['pending', 'running'], limit: 1000 });
  return jobs.map(({ name, status, isSuspended, attempt }) => `${name} ${status} ${isSuspended} ${attempt}`).join(', ');
}

describe.each([
  { backend: 'LMDB', freshUrl: () => `lmdb://${temporaryDirectory()}` },
  { backend: 'Postgres', freshUrl: () => urlWith({ schema: freshSchema() }) },
])(`${PARENTS} parents of ${CHILDREN_PER_PARENT} children, on $backend`, ({ freshUrl }) => {
  it.each([
    { workerConcurrency: 1, processes: 1, suspendAfterMs: 5000 },
    { workerConcurrency: 10, processes: 1, suspendAfterMs: 5000 },
    { workerConcurrency: 1, processes: 3, suspendAfterMs: 5000 },
    { workerConcurrency: 10, processes: 3, suspendAfterMs: 5000 },
    { workerConcurrency: 1, processes: 1, suspendAfterMs: 0 },
    { workerConcurrency: 10, processes: 3, suspendAfterMs: 0 },
  ])(
    'all end and run each child once: $workerConcurrency at once in $processes processes, suspended after $suspendAfterMs ms',
    async ({ processes, ...options }) => {
      const url = freshUrl();
      const caller = await startCaller(url);
      const parent = caller.remote<[number], number[]>('parent');
      const runs = new Map<number, number>();
      const onRun = (child: string): void => void runs.set(Number(child), (runs.get(Number(child)) ?? 0) + 1);
      const nodes = await Promise.all(
        Array.from({ length: processes }, () => startParentsNode({ url, ...options }, onRun)),
      );
      const handles = await parent.enqueueMany(numbers.map((n) => [n]));
      const results = Promise.all(handles.map((handle) => handle.result()));
      const ended = await within(RUN_MS, 'all parents to end', results).catch(async (error: unknown) => {
        throw new Error(`still there: ${await describeUnfinished(caller)}`, { cause: error });
      });
      expect(ended).toEqual(numbers.map(childrenOf));
      for (const node of nodes) node.say('stop');
      expect(await Promise.all(nodes.map((node) => node.exited()))).toEqual(nodes.map(() => 0));
      const notOnce = numbers.flatMap(childrenOf).flatMap((child) => {
        const count = runs.get(child) ?? 0;
        return count === 1 ? [] : [`child ${child} ran ${count} times`];
      });
      expect(notOnce).toEqual([]);
      const counts = (await caller.counts()).toSorted((a, b) => a.name.localeCompare(b.name));
      const none = { pending: 0, running: 0, dead: 0, cancelled: 0 };
      expect(counts).toEqual([
        { name: 'child', ...none, success: PARENTS * CHILDREN_PER_PARENT },
        { name: 'parent', ...none, success: PARENTS },
      ]);
    },
  );
});
