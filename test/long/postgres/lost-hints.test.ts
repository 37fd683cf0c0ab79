import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import { type DurableFunction, Reseolio } from '../../../src/index.ts';
import { freshSchema, serverUrl, urlWith } from '../../postgres/postgres-fixture.ts';
import { ClientNode } from './client-node.ts';
import { pause, within } from './crash-run.ts';

/** Well below the second after which a node looks by itself. */
const HINTED_MS = 400;
/** The worker looks, and then the caller: a second each, and time for a small machine. */
const POLLED_MS = 3000;
/** The pause between two tries to listen grows up to 5 s. */
const RECOVERY_MS = 15_000;
const CALLS = 5;

describe('a node that hears nothing of others', () => {
  let proxy: TcpProxy;
  let echo: DurableFunction<[string], string>;

  /** The caller and the worker are told of each other over the proxy; all else goes past it. */
  beforeEach(async () => {
    proxy = await TcpProxy.start({ targetPort: Number(new URL(serverUrl).port) });
    onTestFinished(() => proxy.stop());
    const listenUrl = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const url = urlWith({ schema: freshSchema(), listenUrl });
    const caller = new Reseolio({ storage: url, workerConcurrency: 0 });
    const worker = new Reseolio({ storage: url });
    const run = async (text: string): Promise<string> => text;
    echo = caller.durable('echo', run);
    worker.durable('echo', run);
    await Promise.all([caller.start(), worker.start()]);
    onTestFinished(async () => {
      await Promise.all([caller.stop(), worker.stop()]);
    });
    // The first of a name makes its lane.
    await (await echo('first')).result();
  });

  async function callOnce(): Promise<number> {
    const calledAt = performance.now();
    const handle = await echo('hello');
    expect(await within(POLLED_MS, 'a result', handle.result())).toBe('hello');
    return performance.now() - calledAt;
  }

  async function expectHints(): Promise<void> {
    const deadline = performance.now() + RECOVERY_MS;
    for (let inTime = 0; inTime < CALLS; ) {
      inTime = (await callOnce()) < HINTED_MS ? inTime + 1 : 0;
      expect(performance.now(), 'hints come back').toBeLessThan(deadline);
    }
  }

  it('has results all the same, and hints again once it can connect', async () => {
    await expectHints();
    proxy.refuse(true);
    proxy.cutAll();
    for (let call = 0; call < CALLS; call++) await callOnce();
    proxy.refuse(false);
    await expectHints();
  });

  it('has results all the same while the network stalls, and hints again when it goes on', async () => {
    await expectHints();
    proxy.stall();
    for (let call = 0; call < CALLS; call++) await callOnce();
    proxy.resume();
    await expectHints();
  });

  it('has hints again at once after the connection was cut', async () => {
    for (let round = 0; round < 5; round++) {
      proxy.cutAll();
      await expectHints();
    }
  });
});

describe('nodes that are told of nothing', () => {
  it('run everything, and have every result', async () => {
    const url = urlWith({ schema: freshSchema(), listen: 'off' });
    const nodes = ['a', 'b', 'c'].map((name) => new ClientNode({ url, leaseMs: 1000, name }));
    await Promise.all(nodes.map((node) => node.process.line('ready')));
    for (const { process } of nodes) process.say('call');
    await pause(6000);
    for (const { process } of nodes) process.say('quiet');
    await within(POLLED_MS, 'the last results', Promise.all(nodes.map(({ process }) => process.line('quiet'))));
    for (const node of nodes) {
      expect(node.unanswered).toEqual([]);
      expect(node.rejections).toEqual([]);
      expect(node.results.size).toBeGreaterThan(10);
      expect(node.longestResultMs).toBeLessThan(POLLED_MS);
    }
    const ran = nodes.flatMap((node) => node.ran);
    expect(new Set(ran).size).toBe(ran.length);
    expect(ran.every((attempt) => attempt.endsWith(' 1'))).toBe(true);
  });
});
