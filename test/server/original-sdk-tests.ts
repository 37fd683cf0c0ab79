import { describe, expect, test } from 'vitest';
import { createGate } from '../client/client-fixture.ts';
import { createSdk, nextEvent } from './original-sdk.ts';
import { freeAddress, serve, startClient } from './server-fixture.ts';

/** The SDK looks by itself once a minute: what comes sooner was pushed. */
const PUSHED_MS = 20_000;

/** What programs of the original SDK do, on a storage of which each test makes its own. */
export function testOriginalSdk(storage: string, createUrl: () => string): void {
  describe(`the original SDK on ${storage}`, () => {
    test('enqueues, awaits, and shows a job', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      const double = sdk.durable('t:double', async (n: number) => ({ twice: n * 2 }));
      await sdk.start();
      const handle = await double(21);
      expect(await handle.result(PUSHED_MS)).toEqual({ twice: 42 });
      expect(await handle.status()).toBe('success');
      const details = await handle.details();
      expect(details).toMatchObject({ id: handle.jobId, name: 't:double', status: 'success', attempt: 1 });
      expect(Buffer.from(details.result ?? []).toString()).toBe('{"twice":42}');
    });

    test('retries with backoff until it works, or until no attempt is left', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      const startedAt: number[] = [];
      const flaky = sdk.durable(
        't:flaky',
        async () => {
          startedAt.push(performance.now());
          if (startedAt.length < 3) throw new Error('not yet');
          return startedAt.length;
        },
        { maxAttempts: 5, backoff: 'linear', initialDelayMs: 100 },
      );
      const hopeless = sdk.durable(
        't:hopeless',
        async () => {
          throw new Error('boom');
        },
        { maxAttempts: 2, initialDelayMs: 10 },
      );
      await sdk.start();
      const [recovering, failing] = [await flaky(), await hopeless()];
      expect(await recovering.result(PUSHED_MS)).toBe(3);
      const [first, second, third] = startedAt as [number, number, number];
      expect(second - first).toBeGreaterThan(85);
      expect(third - second).toBeGreaterThan(170);
      await expect(failing.result(PUSHED_MS)).rejects.toThrow('Job failed: boom');
      expect(await failing.details()).toMatchObject({ status: 'dead', attempt: 2, error: 'boom' });
    });

    test('makes one job of calls with one idempotency key', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      let runs = 0;
      const charge = sdk.durable('t:charge', async (_order: number) => ++runs);
      await sdk.start();
      const first = await charge(1, { idempotencyKey: 'order-1' });
      expect(await first.result(PUSHED_MS)).toBe(1);
      const told = nextEvent(sdk, 'deduplicated');
      const second = await charge(1, { idempotencyKey: 'order-1' });
      expect(await told).toEqual([first.jobId]);
      expect(second.jobId).toBe(first.jobId);
      expect(await second.result(PUSHED_MS)).toBe(1);
      expect(await (await charge(2, { idempotencyKey: 'order-2' })).result(PUSHED_MS)).toBe(2);
    });

    test('ends attempts that run too long', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      const gate = createGate();
      const slow = sdk.durable('t:slow', () => gate.opened, { maxAttempts: 2, timeoutMs: 50, initialDelayMs: 10 });
      await sdk.start();
      const handle = await slow();
      await expect(handle.result(PUSHED_MS)).rejects.toThrow('Job failed: Job timeout');
      expect(await handle.details()).toMatchObject({ status: 'dead', attempt: 2 });
      gate.open();
    });

    test('cancels what is pending, and nothing else', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address, workerConcurrency: 1 });
      const gate = createGate();
      const f = sdk.durable('t:f', async () => {
        await gate.opened;
        return 'done';
      });
      await sdk.start();
      const started = nextEvent(sdk, 'job:start');
      const running = await f();
      await started;
      const waiting = await f();
      expect([await running.cancel(), await waiting.cancel(), await waiting.cancel()]).toEqual([false, true, false]);
      await expect(waiting.result(PUSHED_MS)).rejects.toThrow('cancelled');
      gate.open();
      expect(await running.result(PUSHED_MS)).toBe('done');
    });

    test('fans out to 200 jobs, and gets every result', async () => {
      const { address } = await serve({ storage: createUrl() });
      const [web, worker] = [createSdk({ address, workerConcurrency: 0 }), createSdk({ address })];
      const square = web.durable('t:square', async (n: number) => n * n);
      worker.durable('t:square', async (n: number) => n * n);
      await Promise.all([web.start(), worker.start()]);
      const numbers = Array.from({ length: 200 }, (_, n) => n);
      const handles = await Promise.all(numbers.map((n) => square(n)));
      const results = await Promise.all(handles.map((handle) => handle.result(PUSHED_MS)));
      expect(results).toEqual(numbers.map((n) => n * n));
    });

    test('chains functions: a handler calls others and awaits them', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      const price = sdk.durable('t:price', async (item: string) => item.length);
      const order = sdk.durable('t:order', async (items: string[]) => {
        const handles = await Promise.all(items.map((item) => price(item)));
        const prices = await Promise.all(handles.map((handle) => handle.result(PUSHED_MS)));
        return prices.reduce((sum, each) => sum + each, 0);
      });
      await sdk.start();
      expect(await (await order(['tea', 'coffee', 'milk'])).result(PUSHED_MS)).toBe(13);
    });

    test('runs the children of a TypeScript parent, which is suspended meanwhile', async () => {
      const url = createUrl();
      const { address } = await serve({ storage: url });
      const sdk = createSdk({ address });
      const gate = createGate();
      sdk.durable('t:price', async (item: string) => {
        await gate.opened;
        return item.length;
      });
      await sdk.start();
      const library = await startClient({ storage: url, workerConcurrency: 1, suspendAfterMs: 0 });
      const price = library.remote<[string], number>('t:price');
      const order = library.durable('order', async (items: string[]) => {
        const prices = await Promise.all(items.map(async (item) => (await price(item)).result()));
        return prices.reduce((sum, each) => sum + each, 0);
      });
      const handle = await order(['tea', 'coffee', 'milk']);
      await expect.poll(async () => (await handle.details()).isSuspended, { timeout: 5000 }).toBe(true);
      gate.open();
      expect(await handle.result(PUSHED_MS)).toBe(13);
      const { jobs } = await library.listJobs({ parentId: handle.jobId });
      expect(jobs.map(({ name, attempt }) => [name, attempt])).toEqual(Array(3).fill(['t:price', 1]));
    });

    test('tells of what happens', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      const events: string[] = [];
      const told = ['ready', 'job:start', 'job:success', 'job:error', 'job:completion', 'stopped', 'worker:error'];
      for (const event of told) sdk.on(event, () => events.push(event));
      let runs = 0;
      const f = sdk.durable(
        't:f',
        async () => {
          if (++runs === 1) throw new Error('once');
          return runs;
        },
        { initialDelayMs: 1 },
      );
      await sdk.start();
      const completed = nextEvent(sdk, 'job:completion');
      const handle = await f();
      const [completion] = await completed;
      expect(completion).toMatchObject({ jobId: handle.jobId, status: 3 });
      expect(await handle.result(PUSHED_MS)).toBe(2);
      await sdk.stop();
      expect(events.toSorted()).toEqual(
        ['ready', 'job:start', 'job:start', 'job:error', 'job:success', 'job:completion', 'stopped'].toSorted(),
      );
    });

    test('as two workers with different names, each runs its own', async () => {
      const { address } = await serve({ storage: createUrl() });
      const [one, two] = [createSdk({ address }), createSdk({ address })];
      const a = one.durable('t:a', async () => 'one');
      const b = two.durable('t:b', async () => 'two');
      await Promise.all([one.start(), two.start()]);
      const handles = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? a() : b())));
      const results = await Promise.all(handles.map((handle) => handle.result(PUSHED_MS)));
      expect(results).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'one' : 'two')));
    });

    test('may connect before it has handlers', async () => {
      const { address } = await serve({ storage: createUrl() });
      const sdk = createSdk({ address });
      await sdk.start();
      const late = sdk.durable('t:late', async (text: string) => `${text}!`);
      const later = sdk.durable('t:later', async (text: string) => `${text}?`);
      expect(await (await late('here')).result(PUSHED_MS)).toBe('here!');
      expect(await (await later('here')).result(PUSHED_MS)).toBe('here?');
    });

    test('goes on when the server is restarted in the middle', async () => {
      const options = { storage: createUrl(), address: await freeAddress() };
      const first = await serve(options);
      const sdk = createSdk({ address: options.address, workerConcurrency: 2 });
      const gate = createGate();
      const runs: number[] = [];
      const f = sdk.durable('t:f', async (n: number) => {
        runs.push(n);
        await gate.opened;
        return n;
      });
      await sdk.start();
      const handles = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => f(n)));
      await expect.poll(() => runs).toHaveLength(2);
      const results = Promise.all(handles.map((handle) => handle.result(PUSHED_MS)));
      await first.stop();
      await expect(f(6)).rejects.toThrow('UNAVAILABLE');
      await serve(options);
      gate.open();
      expect(await results).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await (await f(7)).result(PUSHED_MS)).toBe(7);
      for (const handle of handles) expect(await handle.details()).toMatchObject({ status: 'success', attempt: 1 });
      // Before the server: an SDK that is stopped while it waits to connect again throws.
      await sdk.stop();
    });
  });
}
