import { describe, expect, test } from 'vitest';
import { JobCancelledError, JobFailedError, ReseolioError, ResultTimeoutError } from '../../src/index.ts';
import { createFixture, createGate, withCode } from './client-fixture.ts';

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

/** Keeps a rejection from counting as unhandled while the clock moves, and answers with what became of `promise`. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => error,
  );
}

/** What `promise` has resolved with already, else `pending`. */
function nowOr(pending: string, promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, Promise.resolve(pending)]);
}

describe('result()', () => {
  test('resolves with what the handler returned', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const f = client.durable('f', async (x: number) => ({ doubled: x * 2, at: new Date(0), nothing: undefined }));
    const result = (await f(21)).result();
    await runtime.advance(0);
    expect(await result).toStrictEqual({ doubled: 42, at: new Date(0), nothing: undefined });
  });

  test.each([[undefined], [null], [0], [''], [false], [10n], [[]]])('gives back %o', async (value) => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const result = (await client.durable('f', () => value)()).result();
    await runtime.advance(0);
    expect(await result).toStrictEqual(value);
  });

  test('gives each caller a copy of its own', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const handle = await client.durable('f', () => ({ list: [1] }))();
    const results = Promise.all([handle.result(), handle.result(), client.getHandle(handle.jobId).result()]);
    await runtime.advance(0);
    const [first, second, third] = await results;
    expect([first, second, third]).toEqual([{ list: [1] }, { list: [1] }, { list: [1] }]);
    expect(first).not.toBe(second);
    expect(first?.list).not.toBe(second?.list);
    expect(third).not.toBe(first);
  });

  test('works for a job that finished long ago, from another client', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const handle = await client.durable('f', () => 'old')();
    await runtime.advance(3_600_000);
    await client.stop();
    const other = await startClient({ workerConcurrency: 0 });
    expect(await other.getHandle(handle.jobId).result(1)).toBe('old');
  });

  test('rejects with the handler’s own error for a dead job', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const handle = await client.durable(
      'f',
      () => {
        throw new TypeError('no such card');
      },
      { maxAttempts: 2, jitter: 0 },
    )();
    const outcome = outcomeOf(handle.result());
    await runtime.advance(1000);
    const error = (await outcome) as JobFailedError;
    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({
      code: 'job_failed',
      message: 'no such card',
      jobId: handle.jobId,
      attempts: 2,
      errorName: 'TypeError',
      errorMessage: 'no such card',
    });
    expect(error.errorStack).toContain('result.test.ts');
  });

  test('rejects for a cancelled job', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const handle = await client.durable('f', () => 1)();
    const outcome = outcomeOf(handle.result());
    await runtime.advance(5);
    expect(await handle.cancel()).toBe(true);
    await runtime.advance(0);
    const error = await outcome;
    expect(error).toBeInstanceOf(JobCancelledError);
    expect(error).toMatchObject({ code: 'job_cancelled', jobId: handle.jobId });
  });

  test('rejects after its time-out, and the job runs on', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const gate = createGate();
    const handle = await client.durable('f', async () => {
      await gate.opened;
      return 'late';
    })();
    const outcome = outcomeOf(handle.result(200));
    const patient = handle.result();
    await runtime.advance(199);
    expect(await nowOr('waiting', outcome)).toBe('waiting');
    await runtime.advance(1);
    expect(await outcome).toBeInstanceOf(ResultTimeoutError);
    expect(await outcome).toMatchObject({ code: 'result_timeout', jobId: handle.jobId, timeoutMs: 200 });
    gate.open();
    await runtime.advance(0);
    expect(await patient).toBe('late');
  });

  test('rejects for an id that no job has', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient();
    const outcome = outcomeOf(client.getHandle(UNKNOWN_ID).result());
    await runtime.advance(0);
    expect(await outcome).toMatchObject(withCode('job_not_found'));
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 24 * 86_400_000 + 1, '5', null])(
    'refuses to wait %o milliseconds',
    async (timeoutMs) => {
      const { startClient } = createFixture();
      const client = await startClient();
      const result = client.getHandle(UNKNOWN_ID).result(timeoutMs as number);
      await expect(result).rejects.toMatchObject(withCode('invalid_argument'));
    },
  );

  test('is settled by another client on the same storage', async () => {
    const { startClient, runtime } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const handle = await web.durable('f', (x: number) => x)(3);
    const result = handle.result();
    const worker = await startClient();
    worker.durable('f', (x: number) => x + 1);
    await runtime.advance(0);
    expect(await result).toBe(4);
  });
});

describe('waiting', () => {
  test('ends by a poll within a second where every hint is lost', async () => {
    const { startClient, runtime, storage } = createFixture();
    storage.isHinting = false;
    const web = await startClient({ workerConcurrency: 0 });
    const handle = await web.durable('f', () => 0)();
    const outcome = outcomeOf(handle.result());
    await runtime.advance(500);
    const worker = await startClient();
    worker.durable('f', () => 1);
    await runtime.advance(0);
    expect(await handle.status()).toBe('success');
    await runtime.advance(499);
    expect(await nowOr('waiting', outcome)).toBe('waiting');
    await runtime.advance(1);
    expect(await outcome).toBe(1);
  });

  test('is woken by a hint that does not say which jobs', async () => {
    const { startClient, runtime, storage } = createFixture();
    storage.isHinting = false;
    const web = await startClient({ workerConcurrency: 0 });
    const handle = await web.durable('f', () => 0)();
    const outcome = outcomeOf(handle.result());
    await runtime.advance(0);
    const worker = await startClient();
    worker.durable('f', () => 1);
    await runtime.advance(0);
    expect(await nowOr('waiting', outcome)).toBe('waiting');
    storage.hint({ kind: 'finished', jobIds: null });
    await runtime.advance(0);
    expect(await outcome).toBe(1);
  });

  test('hints of other jobs, and hints while nobody waits, cause no read', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    storage.hint({ kind: 'finished', jobIds: [UNKNOWN_ID] });
    storage.hint({ kind: 'finished', jobIds: null });
    await runtime.advance(0);
    expect(storage.count('getJobs')).toBe(0);
    const handle = await client.durable('f', () => 1)();
    await runtime.advance(1000);
    const outcome = outcomeOf(handle.result(100));
    await runtime.advance(0);
    expect(storage.count('getJobs')).toBe(1);
    storage.hint({ kind: 'finished', jobIds: [UNKNOWN_ID] });
    await runtime.advance(0);
    expect(storage.count('getJobs')).toBe(1);
    await runtime.advance(100);
    expect(await outcome).toBeInstanceOf(ResultTimeoutError);
  });

  test('of thousands is read in batches, and a burst of hints at once', async () => {
    const { startClient, runtime, storage } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const handles = await web.durable('f', (x: number) => x).enqueueMany(Array.from({ length: 3000 }, (_, i) => [i]));
    await runtime.advance(1000);
    const results = Promise.all(handles.map((handle) => handle.result()));
    await runtime.advance(0);
    expect(storage.paramsOf('getJobs').map(({ jobIds }) => jobIds.length)).toEqual([1000, 1000, 1000]);
    const worker = await startClient({ workerConcurrency: 3000 });
    worker.durable('f', (x: number) => x + 1);
    await runtime.advance(0);
    expect(await results).toEqual(handles.map((_, i) => i + 1));
    for (const { jobIds } of storage.paramsOf('getJobs')) expect(jobIds.length).toBeLessThanOrEqual(1000);
    expect(storage.count('getJobs')).toBeLessThan(20);
  });

  test('looks at 1000 jobs a second, each in turn, while nothing happens', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const handles = await client.durable('f', () => 1).enqueueMany(Array.from({ length: 1500 }, () => []));
    await runtime.advance(1000);
    const results = Promise.allSettled(handles.map((handle) => handle.result()));
    await runtime.advance(10_000);
    const looks = storage.paramsOf('getJobs').flatMap(({ jobIds }) => jobIds);
    expect(looks).toHaveLength(1500 + 10 * 1000);
    for (const { jobId } of handles) {
      expect(looks.filter((id) => id === jobId).length).toBeGreaterThanOrEqual(1 + 6);
    }
    await client.stop();
    await results;
  });

  test('leaves no timer once it is over', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const f = client.durable('f', () => 1);
    const [a, b] = [await f(), await f()];
    const before = runtime.pendingTimers;
    const outcomes = Promise.all([a.result(50_000), a.result(), b.result(100)].map(outcomeOf));
    await runtime.advance(0);
    expect(runtime.pendingTimers).toBe(before + 2);
    await runtime.advance(100);
    await a.cancel();
    await runtime.advance(0);
    await outcomes;
    expect(runtime.pendingTimers).toBe(before);
  });

  test('goes on through storage errors that pass', async () => {
    const { startClient, runtime, storage } = createFixture();
    const errors: unknown[] = [];
    const client = await startClient({ workerConcurrency: 0 });
    client.on('storage:error', (event) => errors.push(event));
    const handle = await client.durable('f', () => 1)();
    const failure = new ReseolioError('storage_unavailable', 'gone for now');
    storage.fail('getJobs', failure);
    const outcome = outcomeOf(handle.result());
    await runtime.advance(2500);
    expect(errors).toEqual(Array.from({ length: 2 }, () => ({ operation: 'read', error: failure, isFinal: false })));
    storage.heal('getJobs');
    await handle.cancel();
    await runtime.advance(1000);
    expect(await outcome).toBeInstanceOf(JobCancelledError);
  });

  test('ends when the storage fails for good, for those who come later too', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 0 });
    const handle = await client.durable('f', () => 1)();
    const outcome = outcomeOf(handle.result());
    await runtime.advance(0);
    const failure = new ReseolioError('storage_failed', 'the disk is gone');
    storage.hint({ kind: 'failed', error: failure });
    expect(await outcome).toBe(failure);
    await expect(handle.result()).rejects.toBe(failure);
  });
});
