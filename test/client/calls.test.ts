import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/core/options.ts';
import { type CallOptions, type DurableFunction, ReseolioError } from '../../src/index.ts';
import { createFixture, withCode } from './client-fixture.ts';

type Loose = DurableFunction<unknown[], unknown>;

async function startEnqueuer(options = {}) {
  const fixture = createFixture();
  const client = await fixture.startClient({ workerConcurrency: 0, ...options });
  const echo: Loose = client.durable('echo', (...args: unknown[]) => args);
  return { ...fixture, client, echo };
}

describe('a call', () => {
  test('resolves with a handle once the job is stored', async () => {
    const { echo, client } = await startEnqueuer();
    const handle = await echo('a', 1);
    expect(handle.deduplicated).toBe(false);
    expect(await client.getJob(handle.jobId)).toMatchObject({
      id: handle.jobId,
      name: 'echo',
      status: 'pending',
      attempt: 0,
      args: ['a', 1],
      priority: 0,
      idempotencyKey: null,
      options: {
        maxAttempts: 3,
        backoff: 'exponential',
        initialDelayMs: 1000,
        maxDelayMs: 60_000,
        timeoutMs: 30_000,
        jitter: 0.1,
      },
    });
  });

  test('takes trailing options, laid over those of the function', async () => {
    const { client, runtime } = await startEnqueuer();
    const charge = client.durable('charge', (_amount: number) => {}, { maxAttempts: 7, timeoutMs: 500 });
    const handle = await charge(5, { idempotencyKey: 'order-1', delayMs: 250, priority: 9, maxAttempts: 2 });
    expect(await handle.details()).toMatchObject({
      args: [5],
      idempotencyKey: 'order-1',
      runAt: runtime.now() + 250,
      priority: 9,
      options: { maxAttempts: 2, timeoutMs: 500 },
    });
    expect(charge.options).toMatchObject({ maxAttempts: 7, timeoutMs: 500, backoff: 'exponential' });
    expect(charge.jobName).toBe('charge');
  });

  test('keeps an object with another key as an argument', async () => {
    const { echo } = await startEnqueuer();
    const order = { priority: 5, amount: 1 };
    expect(await (await echo(order)).details()).toMatchObject({ args: [order], priority: 0 });
    expect(await (await echo({})).details()).toMatchObject({ args: [{}] });
  });

  test('with callWithOptions takes nothing in the arguments for options', async () => {
    const { echo } = await startEnqueuer();
    const handle = await echo.callWithOptions([{ priority: 5 }], { priority: 7 });
    expect(await handle.details()).toMatchObject({ args: [{ priority: 5 }], priority: 7 });
  });

  test('starts at runAt, a Date or milliseconds', async () => {
    const { echo, runtime } = await startEnqueuer();
    const at = runtime.now() + 5000;
    expect(await (await echo({ runAt: new Date(at) })).details()).toMatchObject({ runAt: at, args: [] });
    expect(await (await echo({ runAt: at })).details()).toMatchObject({ runAt: at });
  });

  test('with a known key answers the first job, whatever it holds', async () => {
    const { echo, client } = await startEnqueuer();
    const first = await echo('first', { idempotencyKey: 'k' });
    const again = await echo('second', { idempotencyKey: 'k' });
    expect(again).toMatchObject({ jobId: first.jobId, deduplicated: true });
    expect(await again.details()).toMatchObject({ args: ['first'] });
    const other = client.durable('other', () => 1);
    expect(await other({ idempotencyKey: 'k' })).toMatchObject({ deduplicated: false });
  });

  test('is not bound by what the handler cannot know: an argument that changes later is stored as it was', async () => {
    const { echo } = await startEnqueuer();
    const order = { id: 1, lines: ['a'] };
    const calling = echo(order);
    order.lines.push('b');
    expect(await (await calling).details()).toMatchObject({ args: [{ id: 1, lines: ['a'] }] });
  });

  test('rejects with what the storage says', async () => {
    const { echo, storage } = await startEnqueuer();
    storage.fail('enqueue', new ReseolioError('storage_full', 'no room'));
    await expect(echo(1)).rejects.toMatchObject(withCode('storage_full'));
    storage.heal('enqueue');
    await echo(1);
  });
});

describe('bad input is refused at the call and stores nothing', () => {
  const cases: [string, (echo: Loose) => Promise<unknown>, string][] = [
    ['a function', (echo) => echo({ user: { save() {} } }), 'payload_unserializable'],
    ['an instance of a class', (echo) => echo(new Map()), 'payload_unserializable'],
    ['too large arguments', (echo) => echo('x'.repeat(LIMITS.payloadBytes)), 'payload_too_large'],
    ['an empty key', (echo) => echo(1, { idempotencyKey: '' }), 'invalid_idempotency_key'],
    ['a long key', (echo) => echo(1, { idempotencyKey: 'k'.repeat(256) }), 'invalid_idempotency_key'],
    ['a key that is no text', (echo) => echo(1, { idempotencyKey: 5 }), 'invalid_idempotency_key'],
    ['a NaN delay', (echo) => echo(1, { delayMs: Number.NaN }), 'invalid_option'],
    ['a negative delay', (echo) => echo(1, { delayMs: -1 }), 'invalid_option'],
    ['a huge delay', (echo) => echo(1, { delayMs: LIMITS.startDelayMs + 1 }), 'invalid_option'],
    ['delayMs with runAt', (echo) => echo(1, { delayMs: 1, runAt: 1 }), 'invalid_option'],
    ['an invalid Date', (echo) => echo(1, { runAt: new Date(Number.NaN) }), 'invalid_option'],
    ['no attempts', (echo) => echo(1, { maxAttempts: 0 }), 'invalid_option'],
    ['endless attempts', (echo) => echo(1, { maxAttempts: Number.POSITIVE_INFINITY }), 'invalid_option'],
    ['an unknown backoff', (echo) => echo(1, { backoff: 'random' }), 'invalid_option'],
    ['half a priority', (echo) => echo(1, { priority: 0.5 }), 'invalid_option'],
    ['unknown options', (echo) => echo.callWithOptions([1], { retries: 5 } as CallOptions), 'invalid_option'],
    ['no options', (echo) => echo.callWithOptions([1], null as unknown as CallOptions), 'invalid_option'],
    ['arguments that are no array', (echo) => echo.callWithOptions(5 as unknown as [], {}), 'invalid_argument'],
    ['calls that are no array', (echo) => echo.enqueueMany(5 as unknown as []), 'invalid_argument'],
    ['one call that is no array', (echo) => echo.enqueueMany([[1], 2 as unknown as []]), 'invalid_argument'],
    [
      'calls with a hole',
      (echo) => echo.enqueueMany(Object.assign([], { 0: [1], 2: [2] }) as unknown[][]),
      'invalid_argument',
    ],
    ['one bad argument of many', (echo) => echo.enqueueMany([[1], [() => {}]]), 'payload_unserializable'],
    ['a key for many', (echo) => echo.enqueueMany([[1]], { idempotencyKey: 'k' } as object), 'invalid_option'],
    ['an unknown option for many', (echo) => echo.enqueueMany([[1]], { retries: 1 } as object), 'invalid_option'],
    [
      'too many calls',
      (echo) => echo.enqueueMany(Array.from({ length: LIMITS.batchJobs + 1 }, () => [])),
      'invalid_argument',
    ],
    [
      'too many bytes in all',
      (echo) => echo.enqueueMany(Array.from({ length: 65 }, () => ['x'.repeat(LIMITS.payloadBytes - 100)])),
      'payload_too_large',
    ],
  ];

  test.each(cases)('%s', async (_title, call, code) => {
    const { echo, storage } = await startEnqueuer();
    const error = await call(echo).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ReseolioError);
    expect(error).toMatchObject({ code });
    expect(storage.count('enqueue')).toBe(0);
  });

  test('with the path to it', async () => {
    const { echo } = await startEnqueuer();
    await expect(echo({ user: { save() {} } })).rejects.toThrow('args[0].user.save is a function');
    await expect(echo.enqueueMany([[1], [{ a: [0, -0] }]])).rejects.toThrow('calls[1][0].a[1] is -0');
  });

  test('the payload limit can be set', async () => {
    const { echo } = await startEnqueuer({ maxPayloadBytes: 100 });
    await echo('x'.repeat(90));
    await expect(echo('x'.repeat(100))).rejects.toMatchObject(withCode('payload_too_large'));
  });
});

describe('durable()', () => {
  test.each(['', ' a', '-a', 'a b', 'ä', 'a'.repeat(129)])('refuses the name %j', async (name) => {
    const { client } = await startEnqueuer();
    expect(() => client.durable(name, () => 1)).toThrow(expect.objectContaining(withCode('invalid_name')));
  });

  test('refuses a second handler for a name', async () => {
    const { client } = await startEnqueuer();
    expect(() => client.durable('echo', () => 1)).toThrow(expect.objectContaining(withCode('duplicate_handler')));
  });

  test('refuses a handler that is none, and options that are wrong, and then the name is still free', async () => {
    const { client } = await startEnqueuer();
    const notCallable = 'f' as unknown as () => void;
    expect(() => client.durable('f', notCallable)).toThrow(expect.objectContaining(withCode('invalid_argument')));
    for (const options of [{ maxAttempts: 0 }, { jitter: 2 }, { priority: 1 }, null] as object[]) {
      expect(() => client.durable('f', () => 1, options)).toThrow(expect.objectContaining(withCode('invalid_option')));
    }
    expect(client.durable('f', () => 1).jobName).toBe('f');
  });
});

describe('enqueueMany', () => {
  test('stores all in one call and answers by position', async () => {
    const { echo, storage, client } = await startEnqueuer();
    const handles = await echo.enqueueMany([['a'], ['b', 2], []], { priority: 4, delayMs: 10 });
    expect(storage.count('enqueue')).toBe(1);
    const details = await Promise.all(handles.map((handle) => handle.details()));
    expect(details.map(({ args }) => args)).toEqual([['a'], ['b', 2], []]);
    expect(details.every(({ priority }) => priority === 4)).toBe(true);
    expect(await client.counts()).toMatchObject([{ name: 'echo', pending: 3 }]);
  });

  test('takes no trailing options out of an argument list', async () => {
    const { echo } = await startEnqueuer();
    const [handle] = await echo.enqueueMany([['a', { priority: 5 }]]);
    expect(await handle?.details()).toMatchObject({ args: ['a', { priority: 5 }], priority: 0 });
  });

  test('of nothing asks the storage for nothing', async () => {
    const { echo, storage } = await startEnqueuer();
    expect(await echo.enqueueMany([])).toEqual([]);
    expect(storage.count('enqueue')).toBe(0);
  });

  test('takes as many as one storage call may hold', async () => {
    const { echo, client } = await startEnqueuer();
    const handles = await echo.enqueueMany(Array.from({ length: LIMITS.batchJobs }, (_, i) => [i]));
    expect(new Set(handles.map(({ jobId }) => jobId)).size).toBe(LIMITS.batchJobs);
    expect(await client.counts()).toMatchObject([{ pending: LIMITS.batchJobs }]);
  });
});
