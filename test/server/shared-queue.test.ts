import { describe, expect, it } from 'vitest';
import { parse } from './grpc-client.ts';
import { connect, lmdbUrl, serve, startClient } from './server-fixture.ts';
import { JOB } from './wire-status.ts';

/** What JSON carries and msgpack too, with what each could get wrong. */
const VALUES: unknown[] = [
  null,
  true,
  0,
  -1.5e-7,
  2 ** 53 - 1,
  '',
  'ü\u2028\ud83d\ude00\u0000"\\',
  [],
  {},
  [[null, { a: [1, { b: '' }] }]],
  { '': 1, constructor: 2, toString: null, 'a.b': [false] },
];

describe('a job of a TypeScript client', () => {
  it('is run by a remote worker, and its result comes back', async () => {
    const storage = lmdbUrl();
    const library = await startClient({ storage, workerConcurrency: 0 });
    const worker = connect(await serve({ storage })).work('w', ['echo'], 100);
    const echo = library.durable('echo', async (...values: unknown[]) => values as unknown);
    const handle = await echo.callWithOptions(VALUES, {});
    const { id, args } = await worker.jobs.next();
    expect(parse(args)).toEqual(VALUES);
    await worker.succeed(id, VALUES);
    expect(await handle.result()).toEqual(VALUES);
  });

  it('fails and is retried as the remote worker says', async () => {
    const storage = lmdbUrl();
    const library = await startClient({ storage, workerConcurrency: 0 });
    const worker = connect(await serve({ storage })).work('w', ['f']);
    const f = library.durable('f', async () => {}, { maxAttempts: 2, initialDelayMs: 1 });
    const handle = await f();
    await worker.jobs.next();
    await worker.fail(handle.jobId, 'first');
    await worker.jobs.next();
    await worker.fail(handle.jobId, 'second');
    await expect(handle.result()).rejects.toThrow('second');
  });

  it('with no result has none', async () => {
    const storage = lmdbUrl();
    const library = await startClient({ storage, workerConcurrency: 0 });
    const worker = connect(await serve({ storage })).work('w', ['f']);
    const handle = await library.durable('f', async (): Promise<unknown> => 1)();
    await worker.jobs.next();
    await worker.succeed(handle.jobId);
    expect(await handle.result()).toBeUndefined();
  });

  it.each([
    ['a Date', new Date(0), /args\[0\]\.x is a Date/],
    ['a bigint', 10n ** 15n, /args\[0\]\.x is a bigint/],
    ['bytes', Buffer.from('x'), /args\[0\]\.x is bytes/],
    ['infinity', Number.POSITIVE_INFINITY, /args\[0\]\.x is Infinity/],
    ['not a number', Number.NaN, /args\[0\]\.x is NaN/],
  ])('with args that JSON cannot carry (%s) ends dead at a remote worker, and says where', async (_title, x, error) => {
    const storage = lmdbUrl();
    const library = await startClient({ storage, workerConcurrency: 0 });
    const client = connect(await serve({ storage }));
    const worker = client.work('w', ['f'], 1);
    const handle = await library.durable('f', async (_value: unknown) => {})({ x });
    await expect(handle.result()).rejects.toThrow(error);
    expect(worker.jobs.all).toEqual([]);
    const shown = await client.call('GetJob', { jobId: handle.jobId });
    expect([shown.status, shown.args.length]).toEqual([JOB.dead, 0]);
    const next = await client.enqueue('f');
    expect((await worker.jobs.next()).id).toBe(next);
  });
});

describe('a job that came over the wire', () => {
  it('is run by a TypeScript client, and its result is pushed', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const library = await startClient({ storage });
    library.durable('echo', async (...values: unknown[]) => values);
    const jobId = await client.enqueue('echo', VALUES);
    const completion = await client.subscribe(jobId).completions.next();
    expect(parse(completion.result)).toEqual(VALUES);
  });

  it('has the one value that it was given as its one argument', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const library = await startClient({ storage });
    library.durable('count', async (...values: unknown[]) => values.length);
    for (const [args, count] of [
      [{ a: 1 }, 1],
      ['text', 1],
      [[], 0],
      [[1, 2], 2],
    ] as const) {
      const jobId = await client.enqueue('count', args);
      expect(parse((await client.subscribe(jobId).completions.next()).result)).toBe(count);
    }
    const { jobId } = await client.call('EnqueueJob', { name: 'count' });
    expect(parse((await client.subscribe(jobId).completions.next()).result)).toBe(0);
  });

  it('has a result that JSON cannot carry left out, and is said to', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const library = await startClient({ storage });
    library.durable('now', async () => ({ at: new Date(0) }));
    library.durable('nothing', async () => undefined);
    const jobId = await client.enqueue('now');
    const completion = await client.subscribe(jobId).completions.next();
    const flaw = {
      status: JOB.success,
      result: Buffer.alloc(0),
      error: expect.stringContaining('result.at is a Date'),
    };
    expect(completion).toMatchObject(flaw);
    expect(await client.call('GetJob', { jobId })).toMatchObject(flaw);
    const empty = await client.subscribe(await client.enqueue('nothing')).completions.next();
    expect(empty).toMatchObject({ status: JOB.success, result: Buffer.alloc(0), error: '' });
  });
});

describe('a schedule', () => {
  it('of a TypeScript client is shown as the wire counts days, and can be paused from there', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const library = await startClient({ storage, workerConcurrency: 0 });
    const report = library.durable('report', async (_day: string) => {});
    const handle = await report.schedule({ name: 'weekly', cron: '0 9 * * 1' }, 'monday');
    const shown = await client.call('GetSchedule', { scheduleId: 'weekly' });
    expect(shown).toMatchObject({ name: 'report', scheduleName: 'weekly', cronExpression: '0 9 * * 2' });
    expect(parse(shown.args)).toEqual(['monday']);
    await client.call('PauseSchedule', { scheduleId: shown.id });
    expect(await handle.details()).toMatchObject({ status: 'paused' });
  });

  it('from the wire runs in a TypeScript client', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const library = await startClient({ storage });
    const ran = new Promise((resolve) => {
      library.durable('tick', async (value: string) => resolve(value));
    });
    await client.call('CreateSchedule', { name: 'tick', cronExpression: '* * * * * *', args: Buffer.from('["tock"]') });
    expect(await ran).toBe('tock');
  });
});
