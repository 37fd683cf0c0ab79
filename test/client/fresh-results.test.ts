import { describe, expect, test } from 'vitest';
import { JobFailedError, NonRetryableError } from '../../src/index.ts';
import { createFixture, createGate } from './client-fixture.ts';

describe('the result of a job that was just made', () => {
  test('is there without any read, if this client runs it', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient();
    const f = client.durable('f', async (value: string) => {
      return value === 'bad' ? Promise.reject(new NonRetryableError('no good')) : value;
    });
    const good = (await f('good')).result();
    const bad = (await f('bad')).result().catch((error: unknown) => error);
    await runtime.advance(0);
    expect(await good).toBe('good');
    expect(await bad).toBeInstanceOf(JobFailedError);
    expect(await bad).toMatchObject({ code: 'job_failed', errorMessage: 'no good', attempts: 1 });
    expect(storage.count('getJobs')).toBe(0);
  });

  test('is read once there is word of its end, if another client runs it', async () => {
    const { startClient, runtime, storage } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const gate = createGate();
    const result = (await web.durable('f', async () => 0)()).result();
    const worker = await startClient();
    worker.durable('f', () => gate.opened.then(() => 1));
    await runtime.advance(100);
    expect(storage.count('getJobs')).toBe(0);
    gate.open();
    await runtime.advance(0);
    expect(await result).toBe(1);
    expect(storage.count('getJobs')).toBe(1);
  });

  test('is read at once, if there was word of its end, or of that of some job, before anybody waited', async () => {
    const { startClient, runtime, storage } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const f = web.durable('f', async () => 0);
    const worker = await startClient();
    worker.durable('f', async () => 1);
    const heard = await f();
    await runtime.advance(0);
    storage.isHinting = false;
    const unheard = await f();
    await runtime.advance(1000);
    storage.hint({ kind: 'finished', jobIds: null });
    const results = Promise.all([heard.result(), unheard.result()]);
    await runtime.advance(0);
    expect(await results).toEqual([1, 1]);
    expect(storage.count('getJobs')).toBe(1);
  });

  test('is read within a second where every hint is lost', async () => {
    const { startClient, runtime, storage } = createFixture();
    storage.isHinting = false;
    const web = await startClient({ workerConcurrency: 0 });
    const worker = await startClient();
    worker.durable('f', async () => 1);
    const handle = await web.durable('f', async () => 0)();
    await runtime.advance(999);
    const result = handle.result();
    await runtime.advance(1000);
    expect(await result).toBe(1);
  });

  test('is read at once, if an earlier call made the job', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const f = client.durable('f', async () => 0);
    const first = await f({ idempotencyKey: 'k' });
    await runtime.advance(1000);
    const second = await f({ idempotencyKey: 'k' });
    expect(second.deduplicated).toBe(true);
    const results = Promise.allSettled([first.result(1), second.result(1)]);
    await runtime.advance(0);
    expect(storage.count('getJobs')).toBe(1);
    await runtime.advance(1);
    await results;
  });
});
