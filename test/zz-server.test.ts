import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
// @ts-ignore
import { Reseolio } from 'reseolio-original';
import { startServer } from '../src/server/reseolio-server.ts';

test('the original SDK', async () => {
  const server = await startServer({ storage: `lmdb://${mkdtempSync(join(tmpdir(), 'rs-'))}`, address: '127.0.0.1:0', tokens: null, tls: null, isInsecure: false, shutdownGraceMs: 2000, leaseMs: 15000 });
  const client = new Reseolio({ address: server.address, autoStart: false, workerConcurrency: 10 });
  let calls = 0;
  const double = client.durable('t:double', async (n: number) => n * 2);
  const flaky = client.durable('t:flaky', async () => { if (++calls < 3) throw new Error('no ' + calls); return 'ok'; }, { maxAttempts: 5, initialDelayMs: 20, backoff: 'fixed' });
  const dead = client.durable('t:dead', async () => { throw new Error('boom'); }, { maxAttempts: 2, initialDelayMs: 10 });
  const slow = client.durable('t:slow', async () => new Promise((r) => setTimeout(r, 3000)), { maxAttempts: 1, timeoutMs: 200 });
  await client.start();
  const h = await double(21);
  expect(await h.result()).toBe(42);
  const t0 = performance.now();
  const hs = await Promise.all(Array.from({ length: 200 }, (_, i) => double(i)));
  expect(await Promise.all(hs.map((x: any) => x.result()))).toEqual(Array.from({ length: 200 }, (_, i) => 2 * i));
  console.log('200 in', performance.now() - t0);
  const lat: number[] = [];
  for (let i = 0; i < 100; i++) { const t = performance.now(); await (await double(i)).result(); lat.push(performance.now() - t); }
  lat.sort((a, b) => a - b); console.log('round trip p50', lat[50], 'p95', lat[95]);
  expect(await (await flaky()).result()).toBe('ok');
  await expect((await dead()).result()).rejects.toThrow('boom');
  await expect((await slow()).result()).rejects.toThrow('timeout');
  const d = await h.details(); console.log(d);
  await client.stop();
  await server.stop();
}, 30_000);
