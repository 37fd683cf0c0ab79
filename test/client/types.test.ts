import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type ArgsWithOptions,
  type AttemptRecord,
  type BatchOptions,
  type CallOptions,
  currentJob,
  type DurableFunction,
  type JobDetails,
  type JobHandle,
  type JobState,
  Reseolio,
  type StoredError,
} from '../../src/index.ts';

const reseolio = new Reseolio();

const charge = reseolio.durable('charge', async (amount: number, currency: string) => ({ amount, currency }));
const ping = reseolio.durable('ping', () => {});
const greet = reseolio.durable('greet', (name: string, greeting?: string, times = 1) => `${greeting} ${name}${times}`);
const sum = reseolio.durable('sum', (first: bigint, ...rest: number[]) => first + BigInt(rest.length));
const join = reseolio.durable('join', (text: string, times?: number, ...flags: boolean[]) => [text, times, flags]);
const flag = reseolio.durable('flag', (first?: boolean, ...flags: boolean[]) => [first, flags]);
const log = reseolio.durable('log', (...lines: string[]) => lines);

describe('types', () => {
  test('flow from the handler to the call and to the result', () => {
    expectTypeOf(charge).toEqualTypeOf<DurableFunction<[number, string], { amount: number; currency: string }>>();
    expectTypeOf(charge).toBeCallableWith(5, 'EUR');
    expectTypeOf(() => charge(5, 'EUR')).returns.resolves.toEqualTypeOf<
      JobHandle<{ amount: number; currency: string }>
    >();
    expectTypeOf<JobHandle<number>['result']>().toEqualTypeOf<(timeoutMs?: number) => Promise<number>>();
    expectTypeOf<JobHandle<number>['details']>().returns.resolves.toEqualTypeOf<JobDetails<number>>();
    expectTypeOf<JobHandle['status']>().returns.resolves.toEqualTypeOf<JobState>();
    expectTypeOf<JobDetails<number>['result']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<JobDetails['history']>().toEqualTypeOf<readonly AttemptRecord[]>();
  });

  test('a handler may be synchronous, and return nothing', () => {
    expectTypeOf(ping).toEqualTypeOf<DurableFunction<[], void>>();
    expectTypeOf(() => greet('x')).returns.resolves.toEqualTypeOf<JobHandle<string>>();
  });

  test('options may follow the arguments', () => {
    const options: CallOptions = { idempotencyKey: 'k', delayMs: 5, priority: 1, maxAttempts: 2 };
    expectTypeOf(charge).toBeCallableWith(5, 'EUR', options);
    expectTypeOf(ping).toBeCallableWith(options);
    expectTypeOf(greet).toBeCallableWith('x', options);
    expectTypeOf(greet).toBeCallableWith('x', undefined, options);
    expectTypeOf(greet).toBeCallableWith('x', 'hello', 3, options);
    expectTypeOf(sum).toBeCallableWith(1n, 2, 3, options);
    expectTypeOf(log).toBeCallableWith('a', 'b', options);
    expectTypeOf(log).toBeCallableWith(options);
    expectTypeOf(charge.callWithOptions).parameters.toEqualTypeOf<
      [args: readonly [number, string], options: CallOptions]
    >();
    expectTypeOf(charge.enqueueMany).parameter(0).toEqualTypeOf<readonly (readonly [number, string])[]>();
    expectTypeOf(charge.enqueueMany).parameter(1).toEqualTypeOf<BatchOptions | undefined>();
    expectTypeOf(charge.enqueueMany).returns.resolves.toEqualTypeOf<
      JobHandle<{ amount: number; currency: string }>[]
    >();
  });

  test('options may follow parameters that may be left out and a rest', () => {
    expectTypeOf(join).toBeCallableWith('s', { priority: 1 });
    expectTypeOf(join).toBeCallableWith('s', 1, { priority: 1 });
    expectTypeOf(join).toBeCallableWith('s', undefined, { priority: 1 });
    expectTypeOf(join).toBeCallableWith('s', 1, true, { priority: 1 });
    expectTypeOf(join).toBeCallableWith('s', 1, true, false, { priority: 1 });
    expectTypeOf(flag).toBeCallableWith({ priority: 1 });
    expectTypeOf(flag).toBeCallableWith(true, { priority: 1 });
    expectTypeOf(flag).toBeCallableWith(true, false, { priority: 1 });
    expectTypeOf<ArgsWithOptions<string[]>>().toEqualTypeOf<[...string[], CallOptions]>();
    expectTypeOf<ArgsWithOptions<(string | undefined)[]>>().toEqualTypeOf<[...(string | undefined)[], CallOptions]>();
    expectTypeOf<ArgsWithOptions<unknown[]>>().toEqualTypeOf<[...unknown[], CallOptions]>();
    expectTypeOf<ArgsWithOptions<[...number[], string]>>().toEqualTypeOf<[...number[], string, CallOptions]>();
  });

  test('wrong calls do not compile', () => {
    const wrong = [
      // @ts-expect-error: an argument is missing
      () => charge(5),
      // @ts-expect-error: an argument is of another type
      () => charge('5', 'EUR'),
      // @ts-expect-error: one argument too many
      () => charge(5, 'EUR', 'x'),
      // @ts-expect-error: an unknown option
      () => charge(5, 'EUR', { retries: 5 }),
      // @ts-expect-error: the rest before the options is of another type
      () => join('s', 1, 'x', { priority: 1 }),
      // @ts-expect-error: options before an argument
      () => join('s', { priority: 1 }, true),
      // @ts-expect-error: an option of another type
      () => charge.callWithOptions([5, 'EUR'], { delayMs: '5' }),
      // @ts-expect-error: one key cannot stand for many calls
      () => charge.enqueueMany([[5, 'EUR']], { idempotencyKey: 'k' }),
      // @ts-expect-error: options of a function are job options only
      () => reseolio.durable('x', () => 1, { delayMs: 5 }),
      // @ts-expect-error: an unknown client option
      () => new Reseolio({ concurrency: 5 }),
      // @ts-expect-error: retention is in milliseconds
      () => new Reseolio({ retention: { success: '7d' } }),
      // @ts-expect-error: an unknown event
      () => reseolio.on('job:done', () => {}),
      // @ts-expect-error: an unknown status
      () => reseolio.listJobs({ statuses: ['failed'] }),
    ];
    expect(wrong).toHaveLength(13);
  });

  test('events have payloads of their own', () => {
    reseolio.on('job:dead', (event) => {
      expectTypeOf(event.error).toEqualTypeOf<StoredError>();
      expectTypeOf(event.attempt).toBeNumber();
    });
    reseolio.on('job:error', (event) => expectTypeOf(event.retryInMs).toEqualTypeOf<number | null>());
    reseolio.on('storage:error', (event) => expectTypeOf(event.isFinal).toBeBoolean());
    reseolio.on('ready', (event) => expectTypeOf(event).toEqualTypeOf<{ readonly workerId: string }>());
    expectTypeOf(reseolio.on('ready', () => {})).toEqualTypeOf<Reseolio>();
  });

  test('currentJob() says what a handler can know', () => {
    expectTypeOf(currentJob).returns.toHaveProperty('signal').toEqualTypeOf<AbortSignal>();
    expectTypeOf(currentJob).returns.toHaveProperty('deadline').toBeNumber();
    expectTypeOf(reseolio.getHandle<string>).returns.toEqualTypeOf<JobHandle<string>>();
    expectTypeOf(reseolio.getJob).returns.resolves.toEqualTypeOf<JobDetails | null>();
  });
});
