import { describe, expect, it, onTestFinished } from 'vitest';
import { PostgresServer } from '../../../postgres-server/postgres-server.ts';
import { query } from '../../../postgres-server/query.ts';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import { open } from '../../postgres/postgres-fixture.ts';
import { CrashLedger } from '../crash/crash-ledger.ts';
import { startCrashNode } from '../crash/crash-node.ts';
import { ClientNode } from './client-node.ts';
import { drainNodes, expectAllKept, pause, within } from './crash-run.ts';

const TIMEOUT_MS = 5000;
/** A call may wait for as long as it is told to, and for one more connection. */
const MAX_REJECTION_MS = TIMEOUT_MS + 6000;
/** What is under way when the server comes back may have to wait for its next look, and a lease to expire. */
const RECOVERY_MS = 10_000;

async function startServer(): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  return server;
}

interface Nodes {
  readonly clients: readonly ClientNode[];
  readonly crashNodes: readonly ReturnType<typeof startCrashNode>[];
  readonly ledger: CrashLedger;
}

/** Two nodes with the whole client, and two that use the storage as it is and try everything again as it was. */
async function startNodes(url: string): Promise<Nodes> {
  const ledger = new CrashLedger();
  const at = (schema: string): string => `${url}?timeoutMs=${TIMEOUT_MS}&schema=${schema}`;
  const crashNodes = [1, 2].map(() => startCrashNode({ url: at('crash'), honesty: 'strict', task: 'run', ledger }));
  for (const node of crashNodes) onTestFinished(() => node.kill());
  const clients = ['a', 'b'].map((name) => new ClientNode({ url: at('client'), leaseMs: 1000, name }));
  await Promise.all([...crashNodes, ...clients.map(({ process }) => process)].map((node) => node.line('ready')));
  for (const { process } of clients) process.say('call');
  return { clients, crashNodes, ledger };
}

/** Resolves when each of the clients has a result of a call that it made after this. */
async function expectResults(clients: readonly ClientNode[], withinMs: number): Promise<void> {
  const before = clients.map(({ results }) => results.size);
  const deadline = performance.now() + withinMs;
  // Two for each caller: the first may be of a call that was made before.
  while (clients.some(({ results }, i) => results.size < (before[i] as number) + 8)) {
    expect(performance.now(), 'the nodes come back by themselves').toBeLessThan(deadline);
    await pause(20);
  }
}

async function expectNothingLost(url: string, { clients, crashNodes, ledger }: Nodes): Promise<void> {
  for (const { process } of clients) process.say('quiet');
  await within(RECOVERY_MS, 'results', Promise.all(clients.map(({ process }) => process.line('quiet'))));
  for (const client of clients) {
    expect(client.unanswered).toEqual([]);
    expect(client.longestRejectionMs).toBeLessThan(MAX_REJECTION_MS);
  }
  await drainNodes(crashNodes);
  const storage = await open(`${url}?schema=crash`);
  await expectAllKept(storage, ledger);
  expect(await ledger.unacknowledged(storage)).toEqual([]);
  expect(ledger.longestRejectionMs).toBeLessThan(MAX_REJECTION_MS);
  const clientStorage = await open(`${url}?schema=client`);
  const called = new Set(clients.flatMap(({ enqueued }) => [...enqueued]));
  const { jobs } = await clientStorage.listJobs({ ...EVERY_JOB });
  // A call that was rejected may have been stored: that cannot be known. Every other job was acknowledged, to one caller.
  const rejected = clients.reduce((sum, { rejections }) => sum + rejections.length, 0);
  expect(jobs.filter(({ id }) => !called.has(id)).length).toBeLessThanOrEqual(rejected);
  expect(await CrashLedger.unfinished(clientStorage)).toEqual([]);
  for (const { process } of clients) process.say('stop');
  expect(await Promise.all(clients.map(({ process }) => process.exited()))).toEqual([0, 0]);
}

const EVERY_JOB = {
  states: null,
  names: null,
  limit: 1_000_000,
  offset: 0,
  orderBy: 'createdAt',
  isAscending: true,
} as const;

describe('nodes that enqueue and work', () => {
  it('outlive connections that the server ends, again and again', async () => {
    const server = await startServer();
    const nodes = await startNodes(server.url);
    for (let round = 0; round < 60; round++) {
      await pause(Math.random() * 300);
      await query(
        server.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'reseolio' and random() < $1",
        [round % 3 === 0 ? 1 : 0.3],
      );
    }
    await expectResults(nodes.clients, RECOVERY_MS);
    await expectNothingLost(server.url, nodes);
  });

  it('outlive a server that is restarted, and one that is killed', async () => {
    const server = await startServer();
    const nodes = await startNodes(server.url);
    for (let round = 0; round < 8; round++) {
      if (round % 2 === 0) {
        await server.restart();
      } else {
        await server.kill();
        await pause(Math.random() * 500);
        await server.startAgain();
      }
      await expectResults(nodes.clients, RECOVERY_MS);
    }
    await expectNothingLost(server.url, nodes);
  });

  it('outlive a network that cuts, delays and stalls', async () => {
    const server = await startServer();
    const proxy = await TcpProxy.start({ targetPort: server.port });
    onTestFinished(() => proxy.stop());
    const nodes = await startNodes(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`);
    for (let round = 0; round < 20; round++) {
      await pause(Math.random() * 300);
      if (round % 4 === 0) proxy.cutAll();
      if (round % 4 === 1) proxy.delay({ toServerMs: 50, toClientMs: 50 });
      if (round % 4 === 2) proxy.stall();
      if (round % 4 === 3) {
        await pause(round === 7 ? TIMEOUT_MS + 1000 : 1000);
        proxy.resume();
        proxy.delay({ toServerMs: 0, toClientMs: 0 });
      }
    }
    await expectResults(nodes.clients, RECOVERY_MS);
    await expectNothingLost(server.url, nodes);
  });
});
