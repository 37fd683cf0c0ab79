import { describe, expect, test } from 'vitest';
import { type JobHandle, NonRetryableError } from '../../src/index.ts';
import { createFixture, createGate, withCode } from './client-fixture.ts';

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

describe('a handle', () => {
  async function startWithHandle() {
    const fixture = createFixture();
    const client = await fixture.startClient({ workerConcurrency: 0 });
    const handle: JobHandle<number> = await client.durable('f', async () => 1)({ idempotencyKey: 'k' });
    return { ...fixture, client, handle };
  }

  test('status() follows the job', async () => {
    const { handle, startClient, runtime } = await startWithHandle();
    expect(await handle.status()).toBe('pending');
    const gate = createGate();
    const worker = await startClient();
    worker.durable('f', () => gate.opened);
    await runtime.advance(0);
    expect(await handle.status()).toBe('running');
    gate.open();
    await runtime.advance(0);
    expect(await handle.status()).toBe('success');
  });

  test('cancel() cancels a pending job once, and no job that runs', async () => {
    const { handle, startClient, runtime, client } = await startWithHandle();
    expect(await handle.cancel()).toBe(true);
    expect(await handle.cancel()).toBe(false);
    expect(await handle.status()).toBe('cancelled');
    const worker = await startClient();
    const gate = createGate();
    const running = await worker.durable('g', () => gate.opened)();
    await runtime.advance(0);
    expect(await running.cancel()).toBe(false);
    expect(await client.cancelJob(running.jobId)).toBe(false);
    gate.open();
  });

  test('of an id that no job has finds nothing', async () => {
    const { client } = await startWithHandle();
    const handle = client.getHandle(UNKNOWN_ID);
    for (const call of [handle.status(), handle.details(), handle.cancel()]) {
      await expect(call).rejects.toMatchObject(withCode('job_not_found'));
    }
  });

  test('details() tell of every failed attempt', async () => {
    const { client, handle, startClient, runtime } = await startWithHandle();
    const worker = await startClient();
    let attempts = 0;
    worker.durable('f', async () => {
      if (++attempts === 1) throw new RangeError('first');
      throw new NonRetryableError('second');
    });
    const startedAt = runtime.now();
    await runtime.advance(2000);
    const details = await handle.details();
    expect(details).toMatchObject({
      id: handle.jobId,
      name: 'f',
      status: 'dead',
      attempt: 2,
      idempotencyKey: 'k',
      args: [],
      result: undefined,
      createdAt: startedAt,
      error: { name: 'NonRetryableError', message: 'second' },
    });
    expect(details.finishedAt).toBe(details.startedAt);
    expect(details.history).toMatchObject([
      { attempt: 1, outcome: 'failed', startedAt, endedAt: startedAt, error: { name: 'RangeError', message: 'first' } },
      { attempt: 2, outcome: 'failed', error: { name: 'NonRetryableError', message: 'second' } },
    ]);
    expect(details.history[0]?.error.stack).toContain('job-handle.test.ts');
    expect(details.history[0]?.workerId).toBe(details.workerId);
    expect(await client.getJob(handle.jobId)).toEqual(details);
  });
});
