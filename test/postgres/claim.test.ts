import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { TcpProxy } from '../../postgres-server/tcp-proxy.ts';
import type { JobRecord } from '../../src/core/job.ts';
import type { ClaimParams, Storage } from '../../src/core/storage.ts';
import { createPostgresHarness, type PostgresFixture } from '../conformance/postgres-harness.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { connect, freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

function claimOf(limit: number, leaseToken = ids.next()): ClaimParams {
  return { workerId: 'worker', leaseToken, names: ['test:job'], limit, leaseMs: 60_000 };
}

const idsOf = (jobs: readonly JobRecord[]): string[] => jobs.map(({ id }) => id);

/** A storage whose clock and timers are driven, and which hears of no other. */
async function openDriven(): Promise<PostgresFixture> {
  const harness = createPostgresHarness(serverUrl, '&listen=off');
  const fixture = await harness.open();
  onTestFinished(async () => {
    await fixture.destroy();
    await harness.close();
  });
  return fixture;
}

/** Keeps all that is deleted from here on from being cleaned up, as a long query anywhere in the database does. */
async function holdSnapshot(): Promise<void> {
  const client = await connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select 1');
}

interface IndexReads {
  readonly scans: number;
  readonly entries: number;
}

/** Entries that scans of the index of pending jobs returned; statistics come with a delay, so with the scans to expect. */
async function readPending(schema: string, scans: number): Promise<IndexReads> {
  const read = async (): Promise<IndexReads> => {
    const [row] = await query(
      serverUrl,
      `select idx_scan::int as scans, idx_tup_read::int as entries from pg_stat_user_indexes
        where schemaname = $1 and indexrelname = 'queue_pending'`,
      [schema],
    );
    return row as IndexReads;
  };
  await expect.poll(async () => (await read()).scans, { timeout: 10_000 }).toBeGreaterThanOrEqual(scans);
  return read();
}

describe('claims', () => {
  it('whose answer was lost hand over the same jobs when they are repeated', async () => {
    const proxy = await TcpProxy.start({ targetPort: Number(new URL(serverUrl).port) });
    onTestFinished(() => proxy.stop());
    const schema = freshSchema();
    const url = new URL(urlWith({ schema, listen: 'off', poolMax: '2' }));
    url.port = String(proxy.port);
    const storage = await open(url.href);
    const jobs = Array.from({ length: 5 }, () => newJob());
    await storage.enqueue({ jobs });
    const token = ids.next();
    const cut = proxy.cutAfter({
      direction: 'toClient',
      matches: (chunk) => chunk.includes((jobs[0] as { id: string }).id),
      isForwarded: false,
    });
    await expect(storage.claim(claimOf(3, token))).rejects.toMatchObject({ code: 'storage_unavailable' });
    await cut;
    const again = await storage.claim(claimOf(3, token));
    expect(idsOf(again.jobs)).toEqual(jobs.slice(0, 3).map(({ id }) => id));
    expect(again.jobs.every(({ state, attempt }) => state === 'running' && attempt === 1)).toBe(true);
    expect(idsOf((await storage.claim(claimOf(10))).jobs)).toEqual(jobs.slice(3).map(({ id }) => id));
  });

  it('that took nothing before they failed take what is there when they are repeated', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, listen: 'off', poolMax: '2', application_name: schema }));
    await storage.enqueue({ jobs: [newJob()] });
    const [lock, token] = [await connect(), ids.next()];
    await lock.query(`begin; lock table ${schema}.queue`);
    const lost = storage.claim(claimOf(3, token));
    const refused = expect(lost).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect
      .poll(() =>
        query(
          serverUrl,
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
          [schema],
        ),
      )
      .toHaveLength(1);
    await refused;
    await lock.query('rollback');
    expect((await storage.claim(claimOf(3, token))).jobs).toHaveLength(1);
  });

  it('begin where those before left off, however much is dead before', async () => {
    const fixture = await openDriven();
    const schema = fixture.schema;
    await fixture.storage.enqueue({ jobs: Array.from({ length: 2000 }, () => newJob()) });
    await fixture.advance(5000);
    await holdSnapshot();
    /** Entries that are read for a claim, on average, by storages that make `claimsEach` each. */
    const readEach = async (storages: number, claimsEach: number): Promise<number> => {
      const before = await readPending(schema, 0);
      for (let i = 0; i < storages; i++) {
        const storage = (await fixture.openAnother?.()) as Storage;
        for (let j = 0; j < claimsEach; j++) expect((await storage.claim(claimOf(10))).jobs).toHaveLength(10);
        // A connection that ends hands in its statistics.
        await storage.close();
      }
      const claims = storages * claimsEach;
      const after = await readPending(schema, before.scans + 2 * claims);
      return (after.entries - before.entries) / claims;
    };
    expect(await readEach(1, 150)).toBeLessThan(100);
    // The control: storages that know of no claims before.
    expect(await readEach(20, 1)).toBeGreaterThan(1500);
  });

  it('find what was committed long after it was due at the next look at everything', async () => {
    const { storage, advance, beginTransaction } = await openDriven();
    const take = async (): Promise<string[]> => idsOf((await storage.claim(claimOf(10))).jobs);
    const open = await beginTransaction?.();
    if (open === undefined) throw new Error('the harness begins no transactions');
    await take();
    const job = newJob();
    await storage.enqueueInTransaction({ jobs: [job], transaction: open.transaction });
    for (let i = 0; i < 3; i++) {
      await advance(900);
      await storage.enqueue({ jobs: [newJob()] });
      expect(await take()).toHaveLength(1);
    }
    await open.commit();
    expect(await take()).toEqual([]);
    await advance(1000);
    expect(await take()).toEqual([job.id]);
  });

  it('see a priority that another process used for the first time', async () => {
    const { storage, openAnother } = await openDriven();
    const other = (await openAnother?.()) as Storage;
    await storage.enqueue({ jobs: [newJob()] });
    await storage.claim(claimOf(10));
    const [low, high] = [newJob({ priority: -1 }), newJob({ priority: 50 })];
    await other.enqueue({ jobs: [low, high] });
    expect(idsOf((await storage.claim(claimOf(10))).jobs)).toEqual([high.id, low.id]);
  });
});
