import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { openStorage } from '../../src/backends/open-storage.ts';
import { encodePayload } from '../../src/core/payload.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import type { Storage } from '../../src/core/storage.ts';
import { Reseolio, type ReseolioOptions } from '../../src/index.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/reseolio-server.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';
import { type ClientParams, GrpcClient } from './grpc-client.ts';

export const DEFAULTS: ServerOptions = {
  durability: 'strict',
  storage: 'memory://',
  address: '127.0.0.1:0',
  tokens: null,
  tls: null,
  isInsecure: false,
  shutdownGraceMs: 0,
  leaseMs: 15_000,
};

/** A server that is stopped when the test ends. What is in hand then goes back at once, unless a grace time is given. */
export async function serve(change: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({ ...DEFAULTS, ...change });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= server.stop();
    return stopped;
  };
  onTestFinished(stop);
  return { ...server, stop };
}

/** A connection of its own that is closed when the test ends. */
export function connect(server: Pick<RunningServer, 'address'>, params: Partial<ClientParams> = {}): GrpcClient {
  const client = new GrpcClient({ address: server.address, ...params });
  onTestFinished(() => client.close());
  return client;
}

/** A server, and a client of it. */
export async function serveClient(change: Partial<ServerOptions> = {}): Promise<GrpcClient> {
  return connect(await serve(change));
}

/** A TypeScript client that is stopped when the test ends. */
export async function startClient(options: ReseolioOptions): Promise<Reseolio> {
  const client = new Reseolio({ shutdownGraceMs: 0, ...options });
  onTestFinished(() => client.stop());
  await client.start();
  return client;
}

/** What another process would have of the storage of a server; closed when the test ends. */
export async function open(url: string): Promise<Storage> {
  const storage = await openStorage(url, { runtime: createSystemRuntime(), durability: 'strict', migrate: 'auto' });
  onTestFinished(() => storage.close());
  return storage;
}

const HOURS_MS = 10 * 3_600_000;

/** Another process whose clock is hours ahead takes a job away: to it, the lease has expired. It then ends the job. */
export async function steal(url: string, jobId: string, result: string): Promise<void> {
  const runtime = createSystemRuntime();
  const ahead = { ...runtime, now: () => runtime.now() + HOURS_MS };
  const storage = await openStorage(url, { runtime: ahead, durability: 'strict', migrate: 'auto' });
  await storage.reclaimExpired({ limit: 1 });
  const [job] = await storage.getJobs({ jobIds: [jobId] });
  const token = randomUUID();
  const claim = { workerId: 'thief', leaseToken: token, names: [job?.name ?? ''], limit: 1, leaseMs: HOURS_MS };
  for (const { id, attempt } of (await storage.claim(claim)).jobs) {
    const outcome = { kind: 'success', result: encodePayload(result, 'result') } as const;
    await storage.settle({ settlements: [{ lease: { jobId: id, attempt, token }, outcome }] });
  }
  await storage.close();
}

/** Of a storage that several can open, and that is removed when the test ends. */
export function lmdbUrl(): string {
  return `lmdb://${temporaryDirectory()}`;
}

/** An address that nobody listens on, for a server that is started more than once. */
export async function freeAddress(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
