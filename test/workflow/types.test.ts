import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type JobHandle,
  Reseolio,
  type StepOptions,
  type StepTry,
  sleep,
  step,
  version,
  waitForSignal,
} from '../../src/index.ts';

const reseolio = new Reseolio();

describe('types', () => {
  test('of a step are those of what its function returns', () => {
    expectTypeOf(() => step('x', () => 5)).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf(() => step('x', async () => ({ id: 'a' }))).returns.resolves.toEqualTypeOf<{ id: string }>();
    expectTypeOf(() => step('x', () => {})).returns.resolves.toEqualTypeOf<void>();
    expectTypeOf(() => step('x', (current) => current)).returns.resolves.toEqualTypeOf<StepTry>();
    expectTypeOf(() => step('x', async () => Promise.resolve([1]))).returns.resolves.toEqualTypeOf<number[]>();
    expectTypeOf<StepTry['attempt']>().toEqualTypeOf<number>();
    expectTypeOf<StepTry['signal']>().toEqualTypeOf<AbortSignal>();
    expectTypeOf(step).parameter(2).toEqualTypeOf<StepOptions | undefined>();
  });

  test('of a signal are those that the handler expects', () => {
    expectTypeOf(() => waitForSignal('go')).returns.resolves.toEqualTypeOf<unknown>();
    expectTypeOf(() => waitForSignal<{ by: string }>('go')).returns.resolves.toEqualTypeOf<{ by: string }>();
    expectTypeOf<JobHandle['signal']>().toEqualTypeOf<(name: string, payload?: unknown) => Promise<void>>();
  });

  test('of sleeps and versions', () => {
    expectTypeOf(sleep).toEqualTypeOf<(duration: number | string | Date) => Promise<void>>();
    expectTypeOf(version).toEqualTypeOf<(changeId: string, max: number) => Promise<number>>();
  });

  test('of remote functions are those that the caller says', () => {
    const charge = reseolio.remote<[amount: number], { id: string }>('charge');
    expectTypeOf(() => charge(5)).returns.resolves.toEqualTypeOf<JobHandle<{ id: string }>>();
    expectTypeOf(charge).toBeCallableWith(5, { idempotencyKey: 'k' });
    expectTypeOf(() => reseolio.remote('any')(1, 'x')).returns.resolves.toEqualTypeOf<JobHandle<unknown>>();
  });

  test('wrong calls do not compile', () => {
    const wrong = [
      // @ts-expect-error: a step has a name
      () => step(() => 5),
      // @ts-expect-error: a step has a function
      () => step('x'),
      // @ts-expect-error: an unknown option
      () => step('x', () => 5, { retries: 3 }),
      // @ts-expect-error: steps have no keys
      () => step('x', () => 5, { idempotencyKey: 'k' }),
      // @ts-expect-error: an unknown option
      () => waitForSignal('go', { timeout: 5 }),
      // @ts-expect-error: time-outs are in milliseconds
      () => waitForSignal('go', { timeoutMs: '5s' }),
      // @ts-expect-error: what is returned is another type
      (): Promise<string> => step('x', () => 5),
      // @ts-expect-error: no duration
      () => sleep({ days: 2 }),
      // @ts-expect-error: the newest version is missing
      () => version('x'),
      // @ts-expect-error: an unknown option
      (handle: JobHandle) => handle.cancel({ force: true }),
    ];
    expect(wrong).toHaveLength(10);
  });
});
