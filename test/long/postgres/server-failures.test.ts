import { describe, it, onTestFinished } from 'vitest';
import { PostgresServer } from '../../../postgres-server/postgres-server.ts';
import { query } from '../../../postgres-server/query.ts';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import { pause } from './crash-run.ts';
import { expectNothingLost, expectResults, startNodes, TIMEOUT_MS } from './node-run.ts';

const RECOVERY_MS = 10_000;

async function startServer(): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  return server;
}

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
