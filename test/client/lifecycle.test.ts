import { describe, expect, test } from 'vitest';
import { ReseolioError } from '../../src/core/errors.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { currentJob, type JobHandle, Reseolio } from '../../src/index.ts';
import { createFixture, createGate, withCode } from './client-fixture.ts';

const ID = '01890000-0000-7000-8000-000000000000';

/** Every call that needs a started client. */
function callsOf(client: Reseolio, name: string): [string, () => unknown][] {
  const f = client.durable(name, async (x: number) => x);
  return [
    ['a call', () => f(1)],
    ['callWithOptions', () => f.callWithOptions([1], {})],
    ['enqueueMany', () => f.enqueueMany([[1]])],
    ['enqueueMany of nothing', () => f.enqueueMany([])],
    ['getHandle', () => client.getHandle(ID)],
    ['getJob', () => client.getJob(ID)],
    ['listJobs', () => client.listJobs()],
    ['cancelJob', () => client.cancelJob(ID)],
    ['retryJob', () => client.retryJob(ID)],
    ['counts', () => client.counts()],
  ];
}

async function codesOf(calls: readonly [string, () => unknown][]): Promise<{ [call: string]: string }> {
  const codes: { [call: string]: string } = {};
  for (const [title, call] of calls) {
    try {
      await call();
      codes[title] = 'no error';
    } catch (error) {
      codes[title] = error instanceof ReseolioError ? error.code : String(error);
    }
  }
  return codes;
}

function allOf(calls: readonly [string, () => unknown][], code: string): { [call: string]: string } {
  return Object.fromEntries(calls.map(([title]) => [title, code]));
}

describe('before start() has resolved', () => {
  test('every call is refused and stores nothing', async () => {
    const { createClient, storage } = createFixture();
    const client = createClient();
    const calls = callsOf(client, 'f');
    expect(await codesOf(calls)).toEqual(allOf(calls, 'not_started'));
    const starting = client.start();
    expect(() => client.getHandle(ID)).toThrow(expect.objectContaining(withCode('not_started')));
    await starting;
    expect(storage.count('enqueue')).toBe(0);
  });

  test('handlers can be registered, and after it as well', async () => {
    const { createClient, runtime } = createFixture();
    const client = createClient();
    const early = client.durable('early', () => 'early');
    await client.start();
    const late = client.durable('late', () => 'late');
    const results = Promise.all([(await early()).result(), (await late()).result()]);
    await runtime.advance(0);
    expect(await results).toEqual(['early', 'late']);
  });
});

describe('start()', () => {
  test('can be called twice', async () => {
    const { startClient } = createFixture();
    const client = await startClient();
    await Promise.all([client.start(), client.start()]);
    expect(await client.counts()).toEqual([]);
  });

  test('rejects with the reason, and can be called again', async () => {
    const { runtime } = createFixture();
    const client = new Reseolio({ storage: 'redis://localhost', runtime });
    await expect(client.start()).rejects.toMatchObject(withCode('unknown_storage'));
    await expect(client.start()).rejects.toMatchObject(withCode('unknown_storage'));
    await client.stop();
  });

  test('rejects after stop()', async () => {
    const { createClient } = createFixture();
    const client = createClient();
    await client.stop();
    await expect(client.start()).rejects.toMatchObject(withCode('stopped'));
  });

  test('opens a storage that is given by URL, and stop() closes it', async () => {
    const { runtime } = createFixture();
    const client = new Reseolio({ storage: 'memory://', runtime });
    const f = client.durable('f', (x: number) => x + 1);
    await client.start();
    const result = (await f(1)).result();
    await runtime.advance(0);
    expect(await result).toBe(2);
    await client.stop();
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('after stop()', () => {
  test('every call is refused and stores nothing', async () => {
    const { startClient, storage } = createFixture();
    const client = await startClient();
    const calls = callsOf(client, 'f');
    await client.stop();
    expect(await codesOf(calls)).toEqual(allOf(calls, 'stopped'));
    expect(storage.count('enqueue')).toBe(0);
  });

  test('no handler can be registered, from when stop() is called', async () => {
    const { createClient, startClient } = createFixture();
    const refused = expect.objectContaining(withCode('stopped'));
    for (const client of [createClient(), await startClient()]) {
      const stopping = client.stop();
      expect(() => client.durable('f', () => 1)).toThrow(refused);
      await stopping;
      expect(() => client.durable('f', () => 1)).toThrow(refused);
    }
  });

  test('handles are refused', async () => {
    const { startClient } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const handle: JobHandle = await client.durable('f', () => 1)();
    await client.stop();
    const calls: [string, () => unknown][] = [
      ['result', () => handle.result()],
      ['status', () => handle.status()],
      ['details', () => handle.details()],
      ['cancel', () => handle.cancel()],
    ];
    expect(await codesOf(calls)).toEqual(allOf(calls, 'stopped'));
  });

  test('a storage that the caller opened is left open', async () => {
    const { startClient, storage } = createFixture();
    const client = await startClient();
    await client.stop();
    expect(storage.isClosed).toBe(false);
    expect(await storage.counts()).toEqual([]);
  });

  test('nothing of the client is left', async () => {
    const { startClient, storage, runtime } = createFixture();
    const client = await startClient();
    const f = client.durable('f', () => 1);
    await (await f()).result();
    expect(runtime.pendingTimers).toBeGreaterThan(0);
    await client.stop();
    expect(runtime.pendingTimers).toBe(0);
    expect(storage.watchers).toBe(0);
    const calls = storage.calls.length;
    await runtime.advance(600_000);
    expect(storage.calls.length).toBe(calls);
  });
});

describe('stop()', () => {
  test('is prompt when nothing runs: the clock need not move', async () => {
    const { startClient } = createFixture();
    const client = await startClient();
    client.durable('f', () => 1);
    await client.stop();
  });

  test('can be called twice, and before start()', async () => {
    const { startClient, createClient } = createFixture();
    const client = await startClient();
    await Promise.all([client.stop(), client.stop()]);
    await client.stop();
    await createClient().stop();
  });

  test('during start() stops what was started', async () => {
    const { createClient, runtime, storage } = createFixture();
    const client = createClient();
    client.durable('f', () => 1);
    const starting = client.start().then(
      () => 'started',
      (error: ReseolioError) => error.code,
    );
    await client.stop();
    expect(['started', 'stopped']).toContain(await starting);
    expect(runtime.pendingTimers).toBe(0);
    expect(storage.watchers).toBe(0);
  });

  test('while start() opens the storage lets go of the storage', async () => {
    const { runtime } = createFixture();
    const client = new Reseolio({ storage: 'memory://', runtime });
    const starting = expect(client.start()).rejects.toMatchObject(withCode('stopped'));
    await client.stop();
    await starting;
    expect(runtime.pendingTimers).toBe(0);
  });

  test('is what `await using` calls', async () => {
    const { createClient } = createFixture();
    let used: Reseolio;
    {
      await using client = createClient();
      await client.start();
      used = client;
    }
    await expect(used.counts()).rejects.toMatchObject(withCode('stopped'));
  });

  test('rejects result() calls that wait, with and without a time-out', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const handle = await client.durable('f', () => 1)();
    const results = Promise.allSettled([handle.result(), handle.result(60_000)]);
    await runtime.advance(10);
    await client.stop();
    for (const result of await results) {
      expect(result).toMatchObject({ status: 'rejected', reason: withCode('stopped') });
    }
  });

  test('lets handlers in their grace time enqueue and read, and no one else', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const gate = createGate();
    const child = client.durable('child', () => 1);
    const parent = client.durable('parent', async () => {
      await gate.opened;
      const handle = await child();
      return [await handle.status(), currentJob().name];
    });
    const handle = await parent();
    await runtime.advance(0);
    const stopping = client.stop();
    await expect(child()).rejects.toMatchObject(withCode('stopped'));
    gate.open();
    await stopping;
    const other = await startClient({ workerConcurrency: 0 });
    expect(await other.getHandle(handle.jobId).result()).toEqual(['pending', 'parent']);
  });
});

test('several clients in one process are independent', async () => {
  const { startClient, runtime } = createFixture();
  const [one, two] = [await startClient(), await startClient()];
  one.durable('f', () => 'one');
  two.durable('g', () => 'two');
  await one.stop();
  const handle = await two.durable('h', () => 'three')();
  const result = handle.result();
  await runtime.advance(0);
  expect(await result).toBe('three');
});

test('the real runtime lets the process end once the client is stopped', async () => {
  const runtime = createSystemRuntime();
  let timers = 0;
  const counted = {
    ...runtime,
    setTimer: (delayMs: number, callback: () => void) => {
      timers++;
      let isCounted = true;
      const end = (): void => {
        if (isCounted) timers--;
        isCounted = false;
      };
      const timer = runtime.setTimer(delayMs, () => {
        end();
        callback();
      });
      return {
        cancel: () => {
          end();
          timer.cancel();
        },
      };
    },
  };
  const client = new Reseolio({ storage: 'memory://', runtime: counted });
  const f = client.durable('f', async (x: number) => x * 2);
  await client.start();
  const handles = await f.enqueueMany([[1], [2], [3]]);
  expect(await Promise.all(handles.map((handle) => handle.result(30_000)))).toEqual([2, 4, 6]);
  expect(timers).toBeGreaterThan(0);
  await client.stop();
  expect(timers).toBe(0);
});
