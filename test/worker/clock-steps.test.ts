import { describe, expect, test } from 'vitest';
import { createFixture, createGate } from '../client/client-fixture.ts';

const HOUR_MS = 3_600_000;

describe.each([HOUR_MS, -HOUR_MS])('a wall clock that is set by %d ms', (stepMs) => {
  test('neither ends an attempt early nor lets it run longer', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const gate = createGate();
    const f = client.durable('f', () => gate.opened, { timeoutMs: 5000, maxAttempts: 1 });
    const [punctual, late] = await f.enqueueMany([[], []]);
    await runtime.advance(4000);
    runtime.stepClock(stepMs);
    await runtime.advance(900);
    expect(await punctual?.status()).toBe('running');
    await runtime.advance(200);
    expect(await late?.details()).toMatchObject({ status: 'dead', error: { name: 'AttemptTimeoutError' } });
  });

  test('neither ends the wait for a result early nor lets it wait longer', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const f = client.durable('f', () => 1);
    let outcome = 'waiting';
    const waited = (await f()).result(5000).catch((error: Error) => {
      outcome = error.name;
    });
    await runtime.advance(4000);
    runtime.stepClock(stepMs);
    await runtime.advance(900);
    expect(outcome).toBe('waiting');
    await runtime.advance(200);
    await waited;
    expect(outcome).toBe('ResultTimeoutError');
  });
});
