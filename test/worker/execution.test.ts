import { describe, expect, test } from 'vitest';
import { DEFAULT_JOB_OPTIONS } from '../../src/core/options.ts';
import type { Payload } from '../../src/core/payload.ts';
import { type CurrentJob, currentJob, type JobHandle, NonRetryableError, ReseolioError } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';

async function startWorker(options = {}) {
  const fixture = createFixture();
  return { ...fixture, client: await fixture.startClient(options) };
}

async function errorOf(handle: JobHandle): Promise<unknown> {
  const { status, error, attempt } = await handle.details();
  return { status, attempt, name: error?.name, message: error?.message };
}

describe('a handler', () => {
  test.each<[string, () => unknown]>([
    ['may be synchronous', () => 7],
    ['may be asynchronous', async () => 7],
    // biome-ignore lint/suspicious/noThenProperty: thenables that are no promises are what this is about
    ['may return a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(7) })],
  ])('%s', async (_title, handler) => {
    const { client, runtime } = await startWorker();
    const handle = await client.durable('f', handler)();
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'success', result: 7, attempt: 1 });
  });

  test('that returns what cannot be stored ends its job at once, with the path to it', async () => {
    const { client, runtime } = await startWorker();
    const handle = await client.durable('f', () => ({ list: [new Map()] }))();
    await runtime.advance(0);
    expect(await errorOf(handle)).toEqual({
      status: 'dead',
      attempt: 1,
      name: 'ReseolioError',
      message: expect.stringContaining('result.list[0] is an instance of Map'),
    });
  });

  test('that returns more than the payload limit ends its job at once', async () => {
    const { client, runtime } = await startWorker({ maxPayloadBytes: 100 });
    const handle = await client.durable('f', () => 'x'.repeat(100))();
    await runtime.advance(0);
    expect(await errorOf(handle)).toMatchObject({ status: 'dead', message: expect.stringContaining('limit is 100') });
  });

  test('runs in slots: never more at once than the concurrency', async () => {
    const { client, runtime } = await startWorker({ workerConcurrency: 3 });
    const gates = Array.from({ length: 8 }, createGate);
    let running = 0;
    const peaks: number[] = [];
    const f = client.durable('f', async (i: number) => {
      peaks.push(++running);
      await gates[i]?.opened;
      running--;
    });
    await f.enqueueMany(gates.map((_, i) => [i]));
    await runtime.advance(0);
    expect(running).toBe(3);
    for (const gate of gates) {
      gate.open();
      await runtime.advance(0);
    }
    expect(peaks).toHaveLength(8);
    expect(Math.max(...peaks)).toBe(3);
  });
});

describe('arguments', () => {
  async function enqueueRaw(args: Payload) {
    const { client, storage, runtime } = await startWorker();
    const seen: unknown[][] = [];
    client.durable('f', (...given: unknown[]) => void seen.push(given));
    const id = '01890000-0000-7000-8000-000000000000';
    const options = DEFAULT_JOB_OPTIONS;
    const job = { id, name: 'f', args, options, priority: 0, idempotencyKey: null, delayMs: null, runAt: null };
    await storage.enqueue({ jobs: [job] });
    await runtime.advance(0);
    return { seen, handle: client.getHandle(id) };
  }

  test('that cannot be decoded end the job at once', async () => {
    const { seen, handle } = await enqueueRaw({ encoding: 'json', bytes: Buffer.from('[1,') });
    expect(await handle.status()).toBe('dead');
    expect(seen).toEqual([]);
  });

  test('may be JSON of other languages', async () => {
    const { seen, handle } = await enqueueRaw({ encoding: 'json', bytes: Buffer.from('["a",{"b":1}]') });
    expect(await handle.status()).toBe('success');
    expect(seen).toEqual([['a', { b: 1 }]]);
  });

  test('that are a single value are the only one', async () => {
    const { seen } = await enqueueRaw({ encoding: 'json', bytes: Buffer.from('{"b":1}') });
    expect(seen).toEqual([[{ b: 1 }]]);
  });
});

describe('an attempt that fails', () => {
  test.each([
    ['fixed', [100, 100, 100]],
    ['linear', [100, 200, 250]],
    ['exponential', [100, 200, 250]],
  ] as const)('is repeated after its %s backoff', async (backoff, delays) => {
    const { client, runtime } = await startWorker();
    const starts: number[] = [];
    const f = client.durable(
      'f',
      () => {
        starts.push(runtime.now());
        throw new Error('again');
      },
      { backoff, maxAttempts: 4, initialDelayMs: 100, maxDelayMs: 250, jitter: 0 },
    );
    const handle = await f();
    await runtime.advance(5000);
    expect(starts.slice(1).map((start, i) => start - (starts[i] ?? 0))).toEqual(delays);
    expect(await errorOf(handle)).toEqual({ status: 'dead', attempt: 4, name: 'Error', message: 'again' });
  });

  test('spreads its delay by the jitter', async () => {
    const { client, runtime } = await startWorker({ workerConcurrency: 100 });
    const f = client.durable('f', () => Promise.reject(new Error('again')), { initialDelayMs: 1000, jitter: 0.5 });
    const delays: (number | null)[] = [];
    client.on('job:error', ({ retryInMs }) => delays.push(retryInMs));
    await f.enqueueMany(Array.from({ length: 50 }, () => []));
    await runtime.advance(0);
    expect(delays).toHaveLength(50);
    expect(new Set(delays).size).toBeGreaterThan(40);
    expect(delays.every((delay) => delay !== null && delay >= 500 && delay <= 1500)).toBe(true);
  });

  test('can be followed by a success, which has no error', async () => {
    const { client, runtime } = await startWorker();
    const f = client.durable('f', () => {
      if (currentJob().attempt < 3) throw new Error('not yet');
      return 'done';
    });
    const handle = await f();
    await runtime.advance(10_000);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 3, result: 'done', error: null });
  });

  class CardError extends NonRetryableError {}
  const foreign = Object.assign(new Error('from another copy of the package'), { name: 'NonRetryableError' });

  test.each([
    ['NonRetryableError', new NonRetryableError('stop')],
    ['a subclass of it', new CardError('stop')],
    ['the one of another copy of the package', foreign],
  ])('with %s ends the job at once', async (_title, error) => {
    const { client, runtime } = await startWorker();
    const handle = await client.durable('f', () => Promise.reject(error))();
    await runtime.advance(0);
    expect(await errorOf(handle)).toEqual({
      status: 'dead',
      attempt: 1,
      name: 'NonRetryableError',
      message: error.message,
    });
  });

  test('is stored even if what it threw cannot be read', async () => {
    const { client, runtime } = await startWorker();
    const hostile = new Proxy({}, { get: () => hostile, getPrototypeOf: () => Reflect.get(null as never, 'x') });
    const handle = await client.durable('f', () => Promise.reject(hostile), { maxAttempts: 1 })();
    await runtime.advance(0);
    expect(await errorOf(handle)).toMatchObject({ status: 'dead', name: 'Error' });
  });
});

describe('an attempt that runs past timeoutMs', () => {
  async function startSlow(options = {}) {
    const started = await startWorker({ workerConcurrency: 1 });
    const gate = createGate();
    const jobs: CurrentJob[] = [];
    const slow = started.client.durable(
      'slow',
      async () => {
        jobs.push(currentJob());
        await gate.opened;
        return 'late';
      },
      { timeoutMs: 500, maxAttempts: 1, ...options },
    );
    return { ...started, slow, gate, jobs };
  }

  test('fails, its signal aborts and its slot is free', async () => {
    const { slow, client, runtime, jobs } = await startSlow();
    const handle = await slow();
    const next = client.durable('next', () => 'next');
    const nextResult = (await next()).result();
    await runtime.advance(499);
    expect(jobs[0]?.signal.aborted).toBe(false);
    expect(await handle.status()).toBe('running');
    await runtime.advance(1);
    expect(jobs[0]?.signal.reason).toMatchObject({ code: 'attempt_timeout' });
    expect(jobs[0]?.signal.reason).toBeInstanceOf(ReseolioError);
    expect(await errorOf(handle)).toEqual({
      status: 'dead',
      attempt: 1,
      name: 'AttemptTimeoutError',
      message: 'attempt 1 ran longer than its timeoutMs of 500 ms',
    });
    expect(await nextResult).toBe('next');
  });

  test('is retried like any other, and what it returns later is ignored', async () => {
    const { slow, runtime, gate, jobs, storage } = await startSlow({ maxAttempts: 3, initialDelayMs: 100, jitter: 0 });
    const handle = await slow();
    await runtime.advance(500);
    expect(await handle.details()).toMatchObject({ status: 'pending', attempt: 1 });
    expect(storage.count('settle')).toBe(1);
    gate.open();
    await runtime.advance(0);
    expect(storage.count('settle')).toBe(1);
    await runtime.advance(100);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2, result: 'late' });
    expect(jobs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('and throws later changes nothing more', async () => {
    const { client, runtime, storage } = await startWorker();
    const gate = createGate();
    const f = client.durable('f', () => gate.opened.then(() => Promise.reject(new Error('late'))), {
      timeoutMs: 500,
      maxAttempts: 1,
    });
    const handle = await f();
    await runtime.advance(500);
    gate.open();
    await runtime.advance(0);
    expect(storage.count('settle')).toBe(1);
    expect(await errorOf(handle)).toMatchObject({ status: 'dead', name: 'AttemptTimeoutError' });
  });

  test('sees it in its signal, also if it looks for the first time afterwards', async () => {
    const { client, runtime } = await startWorker();
    const gate = createGate();
    const seen: unknown[] = [];
    const f = client.durable('f', async () => {
      await gate.opened;
      seen.push(currentJob().signal.reason);
    });
    await f({ timeoutMs: 500, maxAttempts: 1 });
    await runtime.advance(500);
    gate.open();
    await runtime.advance(0);
    expect(seen).toMatchObject([{ code: 'attempt_timeout' }]);
  });

  test('has each its own deadline, and one timer serves them all', async () => {
    const { client, runtime } = await startWorker({ workerConcurrency: 50 });
    const never = new Promise<void>(() => {});
    const timedOut: number[] = [];
    client.on('job:dead', () => timedOut.push(runtime.now()));
    const f = client.durable('f', () => never, { maxAttempts: 1 });
    const start = runtime.now();
    await runtime.advance(0);
    const before = runtime.pendingTimers;
    const timeouts = Array.from({ length: 40 }, (_, i) => 1000 + ((i * 7) % 40) * 10);
    for (const timeoutMs of timeouts) await f({ timeoutMs });
    await runtime.advance(0);
    expect(runtime.pendingTimers - before).toBeLessThanOrEqual(1);
    await runtime.advance(2000);
    expect(timedOut.map((at) => at - start)).toEqual(timeouts.toSorted((a, b) => a - b));
  });
});
