import { describe, expect, it, onTestFinished } from 'vitest';
import { PostgresServer } from '../../../postgres-server/postgres-server.ts';
import { query } from '../../../postgres-server/query.ts';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import { connect, open } from '../../postgres/postgres-fixture.ts';
import { newJob } from '../../processes/new-job.ts';
import { ClientNode } from './client-node.ts';
import { pause, within } from './crash-run.ts';

const TIMEOUT_MS = 1000;
/** A call may wait as long for those that went before it, and for a connection. */
const BOUND_MS = 3 * TIMEOUT_MS;

async function startServer(): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  return server;
}

describe('calls to a server that says nothing', () => {
  it('all reject within bounds, however many there are, and are made once it is back', async () => {
    const server = await startServer();
    const proxy = await TcpProxy.start({ targetPort: server.port });
    onTestFinished(() => proxy.stop());
    const storage = await open(`postgres://postgres@127.0.0.1:${proxy.port}/postgres?timeoutMs=${TIMEOUT_MS}`);
    await storage.enqueue({ jobs: [newJob()] });
    proxy.stall();
    const batches = Array.from({ length: 20 }, () => Array.from({ length: 1000 }, () => newJob()));
    const calls = batches.map((jobs) => storage.enqueue({ jobs }));
    const outcomes = await within(BOUND_MS, 'all calls to be rejected', Promise.allSettled(calls));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'storage_unavailable' } });
    }
    proxy.resume();
    await expect
      .poll(() => storage.enqueue({ jobs: batches[0] ?? [] }).catch(() => []), { timeout: 5000 })
      .toHaveLength(1000);
  });

  it('go to new connections soon, where all that are open are dead without a word', async () => {
    const server = await startServer();
    const storage = await open(`${server.url}?timeoutMs=${TIMEOUT_MS}`);
    await Promise.all(Array.from({ length: 20 }, () => storage.counts()));
    const rows = await query(server.url, "select pid from pg_stat_activity where application_name = 'reseolio'");
    expect(rows.length).toBeGreaterThan(5);
    const pids = rows.map(({ pid }) => pid as number);
    onTestFinished(() => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    });
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const isBack = expect.poll(
      () =>
        storage.counts().then(
          () => true,
          () => false,
        ),
      { timeout: BOUND_MS },
    );
    await isBack.toBe(true);
  });
});

describe('calls to a server that is slow', () => {
  it('take no more connections than they may', async () => {
    const server = await startServer();
    const url = `${server.url}?target_session_attrs=read-write&poolMax=4`;
    const storage = await open(`${url}&timeoutMs=8000`);
    const blocker = await connect(server.url);
    await blocker.query('begin; lock table reseolio.counts in access exclusive mode');
    const calls = Promise.allSettled(Array.from({ length: 20 }, () => storage.counts()));
    // By then those that waited for a connection have been told that there is none, and have tried again.
    await pause(7000);
    const connections = "select count(*)::int as count from pg_stat_activity where application_name = 'reseolio'";
    expect(await query(server.url, connections)).toEqual([{ count: 4 }]);
    await blocker.query('rollback');
    expect((await calls).some(({ status }) => status === 'fulfilled')).toBe(true);
  });
});

describe('a client that stops while the server says nothing', () => {
  it('ends its process within bounds', async () => {
    const server = await startServer();
    const proxy = await TcpProxy.start({ targetPort: server.port });
    onTestFinished(() => proxy.stop());
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres?timeoutMs=${TIMEOUT_MS}`;
    const { process: node } = new ClientNode({ url, leaseMs: 1000 });
    await node.line('ready');
    proxy.stall();
    node.say('stop');
    await within(10_000, 'stop()', node.line('stopped'));
    expect(await within(10_000, 'the process to end', node.exited())).toBe(0);
  });
});
