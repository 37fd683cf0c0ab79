import { describe, expect, it } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import type { Lease } from '../../src/core/job.ts';
import type { Storage } from '../../src/core/storage.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { expectNoScans, freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

const TABLES = ['jobs', 'queue', 'finished', 'attempts', 'steps', 'signals', 'waiters'];
const NO_ERROR = { name: 'E', message: 'm', stack: null };

/** Records a step with a child, sends a signal, and suspends the job until the child ends, which it does. */
async function useSteps(storage: Storage, lease: Lease): Promise<void> {
  const child = newJob();
  await storage.recordSteps({ recordings: [{ lease, from: 0, steps: [{ body: new Uint8Array(8), child }] }] });
  await storage.signal({ signals: [{ id: ids.next(), jobId: lease.jobId, name: 'go', payload: null }] });
  await storage.settle({
    settlements: [{ lease, outcome: { kind: 'suspend', wakeAt: null, awaits: [child.id], signalsSeen: 1 } }],
  });
  await storage.cancel({ jobIds: [child.id], isRunningIncluded: true });
  await storage.getSteps({ jobId: lease.jobId, from: 0, limit: 10 });
  await storage.getSignals({ jobId: lease.jobId, from: 0, limit: 10 });
}

/** Takes what is there through all that can happen to it, `count` jobs in each call. */
async function useAll(storage: Storage, count: number): Promise<void> {
  const token = ids.next();
  const { jobs } = await storage.claim({
    workerId: 'w',
    leaseToken: token,
    names: ['test:job'],
    limit: count,
    leaseMs: 60_000,
  });
  const leases = jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
  const jobIds = leases.map(({ jobId }) => jobId);
  expect(leases).toHaveLength(count);
  const outcomes = [
    { kind: 'success', result: null },
    { kind: 'dead', error: NO_ERROR },
    { kind: 'retry', error: NO_ERROR, delayMs: 0 },
    { kind: 'release' },
  ] as const;
  const settlements = leases
    .slice(2, -5)
    .map((lease, i) => ({ lease, outcome: outcomes[i % 4] as (typeof outcomes)[number] }));
  await useSteps(storage, leases[0] as Lease);
  await storage.recordSteps({
    recordings: leases.slice(1).map((lease) => ({ lease, from: 0, steps: [{ body: new Uint8Array(8), child: null }] })),
  });
  // Each twice: what is repeated is looked up elsewhere.
  for (let i = 0; i < 2; i++) await storage.settle({ settlements });
  await storage.extendLeases({ leases: leases.slice(-5), leaseMs: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await storage.reclaimExpired({ limit: 4 });
  await storage.getJobs({ jobIds });
  await storage.enqueue({ jobs: Array.from({ length: count }, (_, i) => newJob({ idempotencyKey: `key-${i}` })) });
  await storage.getAttempts({ jobId: jobIds[3] as string });
  await storage.retry({ jobIds });
  await storage.cancel({ jobIds, isRunningIncluded: true });
  await storage.cancel({ jobIds, isRunningIncluded: false });
  for (const state of ['success', 'dead', 'cancelled'] as const) {
    await storage.prune({ state, olderThanMs: 0, limit: count });
  }
}

describe('no statement of the engine', () => {
  it('scans a table of jobs, whatever its statistics say', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, listen: 'off' }));
    const jobs = Array.from({ length: 300 }, (_, i) => newJob({ idempotencyKey: i % 3 === 0 ? `key-${i}` : null }));
    const first = jobs[0] as { id: string };
    await query(serverUrl, 'analyze');
    for (let round = 0; round < 7; round++) {
      await storage.enqueue({ jobs });
      await storage.enqueue({ jobs: [newJob()] });
      const token = ids.next();
      const claimed = await storage.claim({
        workerId: 'worker',
        leaseToken: token,
        names: ['test:job'],
        limit: 30,
        leaseMs: 60_000,
      });
      const leases = claimed.jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
      await storage.extendLeases({ leases, leaseMs: round === 0 ? 60_000 : 1 });
      const error = { name: 'E', message: 'm', stack: null };
      const outcomes = [
        { kind: 'success', result: null },
        { kind: 'dead', error },
        { kind: 'retry', error, delayMs: 0 },
        { kind: 'release' },
      ] as const;
      await storage.settle({
        settlements: leases
          .slice(8)
          .map((lease, i) => ({ lease, outcome: outcomes[i % 4] as (typeof outcomes)[number] })),
      });
      await useSteps(storage, leases[0] as Lease);
      await storage.reclaimExpired({ limit: 4 });
      await storage.cancel({
        jobIds: [...leases.map(({ jobId }) => jobId), ids.next()],
        isRunningIncluded: round % 2 === 0,
      });
      await storage.retry({ jobIds: leases.map(({ jobId }) => jobId) });
      await storage.getJobs({ jobIds: [first.id, ids.next()] });
      await storage.getAttempts({ jobId: first.id });
      for (const state of ['success', 'dead', 'cancelled'] as const) {
        await storage.prune({ state, olderThanMs: 0, limit: 2 });
      }
    }
    await storage.close();
    await expectNoScans(schema, TABLES);
  });

  it('reads a table from its beginning to its end, though it had pages and no rows when it was last analyzed', async () => {
    const schema = freshSchema();
    const url = urlWith({ schema, listen: 'off', application_name: schema });
    const [count, backlog] = [40, 4000];
    const close = async (storage: Storage): Promise<void> => {
      await storage.close();
      // The server counts what a connection has read before it takes the connection off its list.
      const listConnections = () =>
        query(serverUrl, 'select from pg_stat_activity where application_name = $1', [schema]);
      await expect.poll(listConnections, { timeout: 10_000 }).toEqual([]);
    };
    const fill = async (): Promise<void> => {
      const storage = await open(url);
      await storage.enqueue({
        jobs: Array.from({ length: backlog }, (_, i) => newJob({ idempotencyKey: `key-${i}` })),
      });
      await close(storage);
    };
    const readEntries = async (): Promise<number> => {
      const [row] = await query(
        serverUrl,
        'select sum(idx_tup_read)::int as entries from pg_stat_user_indexes where schemaname = $1 and relname = any($2)',
        [schema, TABLES],
      );
      return row?.entries as number;
    };
    await fill();
    const before = await open(url);
    await useAll(before, count);
    await close(before);
    for (const table of TABLES) {
      await query(serverUrl, `delete from ${schema}.${table}`);
      await query(serverUrl, `vacuum (truncate off, analyze) ${schema}.${table}`);
    }
    const sizes = await query(
      serverUrl,
      'select relname from pg_class where relnamespace = $1::regnamespace and relname = any($2) and relpages > 0 and reltuples = 0',
      [schema, TABLES],
    );
    expect(sizes).toHaveLength(TABLES.length);
    await fill();
    const entries = await readEntries();
    const storage = await open(url);
    await useAll(storage, count);
    await close(storage);
    const read = (await readEntries()) - entries;
    expect(read).toBeGreaterThan(10 * count);
    expect(read).toBeLessThan(backlog);
  });
});
