import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findFreePort } from '../../postgres-server/port.ts';
import { TcpProxy } from '../../postgres-server/tcp-proxy.ts';

interface Echo {
  readonly port: number;
  /** What it has received, of all connections. */
  readonly received: string[];
  readonly sockets: Socket[];
}

/** A server that says back what it hears. */
async function startEcho(): Promise<Echo> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received.push(chunk.toString());
      if (socket.writable) socket.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, sockets };
}

async function startProxy(targetPort: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.start({ targetPort });
  onTestFinished(() => proxy.stop());
  return proxy;
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  // Most connections are cut in the end, at the latest with the proxy.
  socket.on('error', () => {});
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

/** Resolves with the error's code, or null if the connection ends without one. */
function ending(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.once('close', () => resolve(null));
  });
}

test('forwards both ways, and counts', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const sockets = await Promise.all([open(proxy.port), open(proxy.port)]);
  for (const socket of sockets) expect(await ask(socket, 'hello')).toBe('hello');
  expect(proxy.connections).toBe(2);
  for (const socket of sockets) socket.end();
  await expect.poll(() => proxy.connections, { timeout: 10_000 }).toBe(0);
});

test('forwards more than it holds', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const socket = await open(proxy.port);
  const sent = Buffer.alloc(8 * 1024 * 1024, 'x');
  let left = sent.length;
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left === 0) resolve();
    });
  });
  socket.write(sent);
  await done;
});

test('cuts all connections, and takes new ones', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const socket = await open(proxy.port);
  await ask(socket, 'hello');
  const ends = [ending(socket), ending(echo.sockets[0] as Socket)];
  proxy.cutAll();
  expect(await Promise.all(ends)).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(await ask(await open(proxy.port), 'again')).toBe('again');
});

test('refuses new connections only', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const old = await open(proxy.port);
  await ask(old, 'hello');
  proxy.refuse(true);
  expect(await ending(connect({ port: proxy.port, host: '127.0.0.1' }))).toBe('ECONNRESET');
  expect(await ask(old, 'still here')).toBe('still here');
  proxy.refuse(false);
  expect(await ask(await open(proxy.port), 'again')).toBe('again');
});

test('passes on that the server is gone', async () => {
  const proxy = await startProxy(await findFreePort());
  expect(await ending(connect({ port: proxy.port, host: '127.0.0.1' }))).toBe('ECONNRESET');
  await expect.poll(() => proxy.connections, { timeout: 10_000 }).toBe(0);
});

test.each([
  { toServerMs: 60, toClientMs: 0 },
  { toServerMs: 0, toClientMs: 60 },
])('delays by $toServerMs and $toClientMs ms, until told otherwise', async (delay) => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const socket = await open(proxy.port);
  await ask(socket, 'hello');
  proxy.delay(delay);
  const begin = performance.now();
  expect(await ask(socket, 'late')).toBe('late');
  expect(performance.now() - begin).toBeGreaterThan(55);
  proxy.delay({ toServerMs: 0, toClientMs: 0 });
  expect(await ask(socket, 'soon')).toBe('soon');
});

test('keeps the order of what is delayed', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const socket = await open(proxy.port);
  await ask(socket, 'hello');
  proxy.delay({ toServerMs: 50, toClientMs: 0 });
  const first = ask(socket, 'first');
  // It is on its way once the proxy has it: only then the next one can overtake it.
  await vi.waitUntil(() => socket.writableLength === 0);
  await ask(await open(echo.port), 'meanwhile');
  proxy.delay({ toServerMs: 0, toClientMs: 0 });
  socket.write('second');
  await first;
  await expect.poll(() => echo.received.join(' '), { timeout: 10_000 }).toMatch(/^hello meanwhile first ?second$/);
});

test('a stall holds everything until it ends', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const [stalled, killed] = await Promise.all([open(proxy.port), open(proxy.port)]);
  for (const socket of [stalled, killed]) await ask(socket, 'hello');
  const other = await open(echo.port);

  proxy.stall();
  const answer = ask(stalled, 'held');
  const fresh = await open(proxy.port);
  const freshAnswer = ask(fresh, 'new');
  killed.resetAndDestroy();
  // Nothing tells that a thing does not happen; what took another way later has arrived before.
  await ask(other, 'direct');
  await ask(other, 'direct again');
  expect(echo.received).toEqual(['hello', 'hello', 'direct', 'direct again']);
  expect(echo.sockets.map((socket) => socket.destroyed)).not.toContain(true);

  proxy.resume();
  expect([await answer, await freshAnswer]).toEqual(['held', 'new']);
  await expect.poll(() => proxy.connections, { timeout: 10_000 }).toBe(2);
});

test.each([
  { direction: 'toServer', isForwarded: false, received: ['hello'] },
  { direction: 'toServer', isForwarded: true, received: ['hello', 'COMMIT'] },
  { direction: 'toClient', isForwarded: false, received: ['hello', 'COMMIT'] },
] as const)('cuts $direction at a chunk, forwarded: $isForwarded', async ({ direction, isForwarded, received }) => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const [socket, other] = await Promise.all([open(proxy.port), open(proxy.port)]);
  const heard: string[] = [];
  socket.on('data', (chunk) => heard.push(chunk.toString()));
  await ask(socket, 'hello');
  const cut = proxy.cutAfter({ direction, isForwarded, matches: (chunk) => chunk.includes('COMMIT') });
  const end = ending(socket);
  socket.write('COMMIT');
  await cut;
  expect(await end).toBe('ECONNRESET');
  expect(heard).toEqual(['hello']);
  await expect.poll(() => echo.received, { timeout: 10_000 }).toEqual(received);
  expect(await ask(other, 'COMMIT')).toBe('COMMIT');
});

test('cuts after an answer that the client still gets', async () => {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  const socket = await open(proxy.port);
  await ask(socket, 'hello');
  const cut = proxy.cutAfter({ direction: 'toClient', isForwarded: true, matches: (chunk) => chunk.includes('DONE') });
  const ends = [ending(socket), ending(echo.sockets[0] as Socket)];
  expect(await ask(socket, 'DONE')).toBe('DONE');
  await cut;
  expect(await Promise.all(ends)).toEqual([null, 'ECONNRESET']);
});
