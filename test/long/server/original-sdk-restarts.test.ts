import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { createSdk } from '../../server/original-sdk.ts';
import { freeAddress } from '../../server/server-fixture.ts';
import { startServe } from './server-process.ts';

const ROUNDS = 4;
const JOBS_A_ROUND = 20;
/** The SDK looks by itself once a minute: what comes sooner was pushed. */
const PUSHED_MS = 30_000;

it('the original SDK gets every result from servers that are killed in the middle', async () => {
  const storage = `lmdb://${temporaryDirectory()}`;
  const address = await freeAddress();
  const start = () => startServe(storage, '--address', address, '--lease', '500');
  let server = await start();
  const sdk = createSdk({ address });
  let runs = 0;
  const whenRun = new Map<number, () => void>();
  const square = sdk.durable(
    't:square',
    async (n: number) => {
      whenRun.get(++runs)?.();
      return n * n;
    },
    { maxAttempts: 100, initialDelayMs: 1 },
  );
  sdk.on('worker:error', () => {});
  await sdk.start();
  const results: Promise<number>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const numbers = Array.from({ length: JOBS_A_ROUND }, (_, i) => round * JOBS_A_ROUND + i);
    const someHaveRun = new Promise<void>((resolve) => whenRun.set(runs + JOBS_A_ROUND / 2, resolve));
    const handles = await Promise.all(numbers.map((n) => square(n)));
    results.push(...handles.map((handle) => handle.result(PUSHED_MS)));
    await someHaveRun;
    await server.process.kill();
    server = await start();
    // Until the SDK has connected again, it can enqueue nothing.
    await expect.poll(() => square(0, { idempotencyKey: `round-${round}` }), { timeout: 10_000 }).toBeDefined();
  }
  expect(await Promise.all(results)).toEqual(results.map((_, n) => n * n));
  await sdk.stop();
});
