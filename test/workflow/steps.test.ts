import { expect, test } from 'vitest';
import { currentJob, NonRetryableError, StepFailedError, type StepOptions, sleep, step } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';
import { FAST, ONCE, work } from './workflow-fixture.ts';

test('a step runs once, and its result is what later runs get', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let runs = 0;
  let calls = 0;
  const results: unknown[] = [];
  const parent = client.durable(
    'parent',
    async () => {
      results.push(await step('first', () => ({ run: ++runs })));
      results.push(await step('second', async () => [++runs]));
      if (++calls < 3) throw new Error('again');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(results).toEqual([{ run: 1 }, [2], { run: 1 }, [2], { run: 1 }, [2]]);
});

test('what a step returns is packed: the handler gets a copy, the first time too', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const kept = { at: new Date(5), big: 2n ** 60n, bytes: new Uint8Array([1, 2]) };
  const isSame: boolean[] = [];
  const results: unknown[] = [];
  const parent = client.durable('parent', async () => {
    const got = await step('keep', () => kept);
    isSame.push(got === kept);
    results.push(
      got,
      await step('nothing', () => undefined),
      await step('null', () => null),
      await step('sync', () => 5),
    );
  });
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.status()).toBe('success');
  expect(isSame).toEqual([false]);
  expect(results).toEqual([kept, undefined, null, 5]);
});

test('results of steps may be as big as payloads may', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ maxPayloadBytes: 2_000_000 });
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const texts: string[] = [];
      for (const letter of 'abc') texts.push(await step(letter, () => letter.repeat(1_900_000)));
      if (++calls === 1) throw new Error('once');
      return texts.map((text) => text.length);
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: [1_900_000, 1_900_000, 1_900_000] });
});

test.each<[string, () => unknown, RegExp]>([
  ['cannot be packed', () => () => {}, /result of step odd.*function/],
  ['is too big', () => 'x'.repeat(2000), /result of step odd.*1000/],
])('a step whose result %s fails and is not tried again', async (_title, run, message) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient({ maxPayloadBytes: 1000 });
  let tries = 0;
  const caught: unknown[] = [];
  const parent = client.durable('parent', async () => {
    const count = (): unknown => {
      tries++;
      return run();
    };
    await step('odd', count, FAST).catch((error: unknown) => caught.push(error));
  });
  await parent();
  await runtime.advance(1000);
  expect(tries).toBe(1);
  expect(caught).toMatchObject([
    { code: 'step_failed', isRetryable: false, errorMessage: expect.stringMatching(message) },
  ]);
});

test('a step is tried as its options say, and fails with what it threw last', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const tries: [number, number][] = [];
  const begunAt = runtime.now();
  const caught: unknown[] = [];
  const parent = client.durable('parent', async () => {
    const fail = ({ attempt }: { readonly attempt: number }): void => {
      tries.push([attempt, runtime.now() - begunAt]);
      throw new TypeError(`no ${attempt}`);
    };
    const options: StepOptions = { maxAttempts: 4, backoff: 'linear', initialDelayMs: 100, jitter: 0 };
    await step('flaky', fail, options).catch((error: unknown) => caught.push(error));
  });
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.status()).toBe('success');
  expect(tries).toEqual([
    [1, 0],
    [2, 100],
    [3, 300],
    [4, 600],
  ]);
  expect(caught[0]).toBeInstanceOf(StepFailedError);
  expect(caught).toMatchObject([
    { stepName: 'flaky', attempts: 4, errorName: 'TypeError', errorMessage: 'no 4', isRetryable: true },
  ]);
});

test('the pauses between tries do not count towards the time-out of the job', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const parent = client.durable(
    'parent',
    async () =>
      step(
        'flaky',
        ({ attempt }) => {
          if (attempt < 3) throw new Error('not yet');
          return attempt;
        },
        { initialDelayMs: 1000, jitter: 0 },
      ),
    { ...ONCE, timeoutMs: 100 },
  );
  const handle = await parent();
  await runtime.advance(5000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 3 });
});

test('a step that throws a NonRetryableError is not tried again, and ends its job if the handler lets it pass', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  let tries = 0;
  const parent = client.durable(
    'parent',
    () =>
      step('hopeless', () => {
        tries++;
        throw new NonRetryableError('never');
      }),
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'dead', attempt: 1, error: { name: 'StepFailedError' } });
  expect(tries).toBe(1);
});

test('a try that takes too long is told by its signal, and the next begins', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const reasons: unknown[] = [];
  const parent = client.durable('parent', () =>
    step(
      'slow',
      async ({ attempt, signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        await work(runtime, attempt === 1 ? 500 : 50);
        return attempt;
      },
      { timeoutMs: 100, initialDelayMs: 10, jitter: 0 },
    ),
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 2 });
  expect(reasons).toMatchObject([withCode('attempt_timeout')]);
});

test('a step cannot ask for what is remembered by itself, but knows its job', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    step('outer', async () => {
      await step('inner', () => 1).catch((error: unknown) => caught.push(error));
      await sleep(1).catch((error: unknown) => caught.push(error));
      return currentJob().name;
    }),
  );
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.details()).toMatchObject({ status: 'success', result: 'parent', stepCount: 1 });
  expect(caught).toMatchObject([withCode('invalid_argument'), withCode('invalid_argument')]);
});

test('steps that run at once are told in the order in which they end', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const log: string[] = [];
  let calls = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const run = async (name: string, ms: number): Promise<void> => {
        await step(name, () => work(runtime, ms));
        log.push(name);
      };
      await Promise.all([run('slow', 30), run('quick', 10), run('middling', 20)]);
      if (++calls === 1) throw new Error('once');
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(200);
  expect(await handle.status()).toBe('success');
  expect(log).toEqual(['quick', 'middling', 'slow', 'quick', 'middling', 'slow']);
});

test.each<[unknown, unknown, unknown, string]>([
  ['', () => 1, {}, 'invalid_argument'],
  ['x'.repeat(129), () => 1, {}, 'invalid_argument'],
  ['\ud800', () => 1, {}, 'invalid_argument'],
  [5, () => 1, {}, 'invalid_argument'],
  ['x', 5, {}, 'invalid_argument'],
  ['x', () => 1, { maxAttempts: 0 }, 'invalid_option'],
  ['x', () => 1, { timeoutMs: 0 }, 'invalid_option'],
  ['x', () => 1, { retries: 5 }, 'invalid_option'],
  ['x', () => 1, { idempotencyKey: 'x' }, 'invalid_option'],
])('step(%j, %j, %j) is refused with %4$s', async (name, run, options, code) => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const caught: unknown[] = [];
  const parent = client.durable('parent', () =>
    step(name as string, run as () => unknown, options as StepOptions).catch((error: unknown) => caught.push(error)),
  );
  await parent();
  await runtime.advance(100);
  expect(caught).toMatchObject([{ code }]);
});

test('steps, sleeps and signals are for handlers', async () => {
  await expect(step('x', () => 1)).rejects.toMatchObject(withCode('no_current_job'));
  await expect(sleep(1)).rejects.toMatchObject(withCode('no_current_job'));
});
