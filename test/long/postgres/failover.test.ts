import { describe, expect, it, onTestFinished } from 'vitest';
import { PostgresServer } from '../../../postgres-server/postgres-server.ts';
import { query } from '../../../postgres-server/query.ts';
import { startStandby } from '../../../postgres-server/standby.ts';
import { open } from '../../postgres/postgres-fixture.ts';
import { ids, newJob } from '../../processes/new-job.ts';
import { pause, within } from './crash-run.ts';
import { expectNothingLost, expectResults, startNodes } from './node-run.ts';

const RECOVERY_MS = 15_000;

async function startPair(): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
  const primary = await PostgresServer.start();
  onTestFinished(() => primary.stop());
  const standby = await startStandby(primary, { isSynchronous: true });
  onTestFinished(() => standby.stop());
  return { primary, standby };
}

describe('a primary that is killed, and its standby promoted', () => {
  it.each(['?target_session_attrs=read-write', ''])('loses nothing, and nodes move over (%s)', async (parameters) => {
    const { primary, standby } = await startPair();
    const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres${parameters}`;
    const nodes = await startNodes(url);
    await expectResults(nodes.clients, RECOVERY_MS);
    await pause(1000);
    await primary.kill();
    await standby.promote();
    await expectResults(nodes.clients, RECOVERY_MS);
    await pause(1000);
    await expectNothingLost(url, nodes);
  });
});

describe('a standby that had not heard of everything, promoted', () => {
  it('gives no job to a function of another name', async () => {
    const primary = await PostgresServer.start();
    onTestFinished(() => primary.stop());
    const standby = await startStandby(primary, { isSynchronous: false });
    onTestFinished(() => standby.stop());
    const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`;
    const storage = await open(url);
    await storage.enqueue({ jobs: [newJob({ name: 'known' })] });
    const position = 'select pg_current_wal_flush_lsn()::text as lsn';
    const [{ lsn } = { lsn: '' }] = await query(primary.url, position);
    const replayed = `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as is_there`;
    await expect.poll(async () => (await query(standby.url, replayed))[0]?.is_there).toBe(true);
    await query(standby.url, "alter system set primary_conninfo = ''");
    await query(standby.url, 'select pg_reload_conf()');
    await expect.poll(() => query(standby.url, 'select from pg_stat_wal_receiver'), { timeout: 10_000 }).toEqual([]);
    await storage.enqueue({ jobs: [newJob({ name: 'lost' })] });
    await primary.kill();
    await standby.promote();

    // The same place in the list of names is given away anew.
    const other = await open(standby.url);
    await other.enqueue({ jobs: [newJob({ name: 'other' })] });
    const again = newJob({ name: 'lost' });
    await storage.enqueue({ jobs: [again] });
    const claim = { workerId: 'w', leaseToken: ids.next(), names: ['lost'], limit: 9, leaseMs: 60_000 };
    expect((await storage.claim(claim)).jobs.map(({ id }) => id)).toEqual([again.id]);
    const counts = await other.counts();
    expect(counts.map(({ name, pending, running }) => `${name} ${pending}/${running}`)).toEqual([
      'known 1/0',
      'lost 0/1',
      'other 1/0',
    ]);
  });
});

describe('a commit whose wait for the standby is cut short', () => {
  const waiting = "select pid from pg_stat_activity where wait_event = 'SyncRep'";

  /** Ends the connections whose commits wait for the standby, as soon as there are so many. */
  async function cutWaitsShort(primary: PostgresServer, count: number): Promise<void> {
    await expect.poll(() => query(primary.url, waiting), { timeout: 5000 }).toHaveLength(count);
    await query(primary.url, `select pg_terminate_backend(pid) from (${waiting}) w`);
  }

  it('is acknowledged only once the standby has it', async () => {
    const { primary, standby } = await startPair();
    const storage = await open(`${primary.url}?timeoutMs=20000`);
    const [done, job] = [newJob(), newJob()];
    await storage.enqueue({ jobs: [done] });
    const token = ids.next();
    await storage.claim({ workerId: 'w', leaseToken: token, names: [done.name], limit: 1, leaseMs: 60_000 });
    const lease = { jobId: done.id, attempt: 1, token };
    const settlements = [{ lease, outcome: { kind: 'success', result: null } }] as const;
    await standby.kill();

    let acknowledged = 0;
    const count = (): void => {
      acknowledged++;
    };
    const enqueued = storage.enqueue({ jobs: [job] });
    void enqueued.then(count);
    await cutWaitsShort(primary, 1);
    // The job is there for all to see; the call is made again, and has to wait as the first time.
    await expect.poll(async () => (await storage.getJobs({ jobIds: [job.id] }))[0]?.state).toBe('pending');
    await expect.poll(() => query(primary.url, waiting), { timeout: 5000 }).toHaveLength(1);

    const settled = expect(storage.settle({ settlements })).rejects.toMatchObject({ code: 'storage_unavailable' });
    await cutWaitsShort(primary, 2);
    await settled;
    await expect.poll(async () => (await storage.getJobs({ jobIds: [done.id] }))[0]?.state).toBe('success');
    const settledAgain = storage.settle({ settlements });
    void settledAgain.then(count);
    await expect.poll(() => query(primary.url, waiting), { timeout: 5000 }).toHaveLength(2);

    expect(acknowledged).toBe(0);
    await standby.startAgain();
    expect(await within(RECOVERY_MS, 'the enqueue', enqueued)).toEqual([{ jobId: job.id, deduplicated: false }]);
    expect(await within(RECOVERY_MS, 'the settle', settledAgain)).toMatchObject([{ status: 'settled' }]);
    await storage.close();
  });
});
