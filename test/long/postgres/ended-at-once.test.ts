import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freshSchema, open, serverUrl } from '../../postgres/postgres-fixture.ts';

const READY = Buffer.from('Z\0\0\0\x05I');

/** What a server says to a connection that it ends. */
function goodbye(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** A way to the server on which a connection ends in the chunk in which it begins, as long as there are `ends` left. */
async function startEnding(state: { ends: number }): Promise<number> {
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(serverUrl).port), '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => {});
    client.pipe(server);
    server.on('close', () => client.end());
    server.on('data', (chunk: Buffer) => {
      if (state.ends === 0 || !chunk.includes(READY)) return client.write(chunk);
      state.ends--;
      client.end(Buffer.concat([chunk, goodbye()]));
      return server.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
  });
  return (proxy.address() as AddressInfo).port;
}

it('connections that end as soon as they are there end calls that are made again, and not the process', async () => {
  const state = { ends: 0 };
  const port = await startEnding(state);
  const storage = await open(`postgres://postgres@127.0.0.1:${port}/postgres?listen=off&schema=${freshSchema()}`);
  state.ends = 5;
  const calls = Array.from({ length: 8 }, () => storage.counts());
  expect(await Promise.all(calls)).toEqual(calls.map(() => []));
  expect(state.ends).toBe(0);
});
