import { describe, expect, it } from 'vitest';
import { parse } from './grpc-client.ts';
import { connect, lmdbUrl, open, serve, serveClient } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

const NO_JOB = '01900000-0000-7000-8000-000000000000';

describe('EnqueueJob', () => {
  it('stores a job with the defaults for what is not said', async () => {
    const storage = lmdbUrl();
    const client = await serveClient({ storage });
    const stored = await open(storage);
    const defaults = { maxAttempts: 3, backoff: 'exponential', initialDelayMs: 1000, maxDelayMs: 60_000 };
    const zeros = { maxAttempts: 0, backoff: '', initialDelayMs: 0, maxDelayMs: 0, timeoutMs: 0, jitter: 0 };
    for (const change of [{}, { options: null }, { options: {} }, { options: zeros }]) {
      const [job] = await stored.getJobs({ jobIds: [await client.enqueue('f', [], change)] });
      expect(job?.options).toEqual({ ...defaults, timeoutMs: 30_000, jitter: 0.1 });
    }
  });

  it('keeps options as they were written, and takes an unknown backoff for exponential', async () => {
    const storage = lmdbUrl();
    const client = await serveClient({ storage });
    const stored = await open(storage);
    const options = { maxAttempts: 7, backoff: 'linear', initialDelayMs: 5, maxDelayMs: 6, timeoutMs: 8, jitter: 0.1 };
    const odd = { backoff: 'fibonacci', jitter: 0.333 };
    const jobIds = [await client.enqueue('f', [], { options }), await client.enqueue('f', [], { options: odd })];
    const [written, corrected] = await stored.getJobs({ jobIds });
    expect(written?.options).toEqual(options);
    expect(corrected?.options).toMatchObject({ backoff: 'exponential', jitter: 0.333 });
  });

  it('answers the job that has the idempotency key, whatever its state', async () => {
    const client = await serveClient();
    const request = { name: 'f', idempotencyKey: 'once' };
    const { jobId, deduplicated } = await client.call('EnqueueJob', request);
    expect(deduplicated).toBe(false);
    expect(await client.call('EnqueueJob', request)).toEqual({ jobId, deduplicated: true });
    await client.call('CancelJob', { jobId });
    expect(await client.call('EnqueueJob', request)).toEqual({ jobId, deduplicated: true });
    const other = await client.call('EnqueueJob', { ...request, name: 'g' });
    expect(other.deduplicated).toBe(false);
  });

  it.each([
    ['a name that is none', { name: 'no name' }],
    ['no name', {}],
    ['a key that is too long', { name: 'f', idempotencyKey: 'k'.repeat(256) }],
    ['args that are no JSON', { name: 'f', args: Buffer.from('[1,') }],
    ['args that are no UTF-8', { name: 'f', args: Buffer.from([0x22, 0xff, 0x22]) }],
    ['args with a key __proto__', { name: 'f', args: Buffer.from('[{"__proto__":{"a":1}}]') }],
    ['args that are nested too deep', { name: 'f', args: Buffer.from('['.repeat(5000) + ']'.repeat(5000)) }],
    ['args that are too large', { name: 'f', args: Buffer.from(JSON.stringify(['x'.repeat(1_048_576)])) }],
    ['a negative number of attempts', { name: 'f', options: { maxAttempts: -1 } }],
    ['a negative time-out', { name: 'f', options: { timeoutMs: -1 } }],
    ['a jitter of more than 1', { name: 'f', options: { jitter: 1.5 } }],
    ['a jitter that is no number', { name: 'f', options: { jitter: Number.NaN } }],
  ])('refuses %s, and stores nothing', async (_title, request) => {
    const client = await serveClient();
    await expect(client.call('EnqueueJob', request)).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    expect((await client.call('ListJobs', {})).total).toBe(0);
  });
});

describe('GetJob', () => {
  it('answers what a job is, with its payloads as they were sent', async () => {
    const client = await serveClient();
    const args = Buffer.from('[ 1, {"big": 12345678901234567890} ]');
    const jobId = await client.enqueue('f', [], { args, options: { maxAttempts: 4 } });
    const job = await client.call('GetJob', { jobId });
    expect(job).toMatchObject({ id: jobId, name: 'f', attempt: 0, status: JOB.pending, error: '', maxAttempts: 4 });
    expect(Buffer.from(job.args)).toEqual(args);
    expect(job.createdAt).toBeGreaterThan(1_600_000_000_000);
    expect(job.scheduledAt).toBeGreaterThanOrEqual(job.createdAt);
    expect([job.startedAt, job.completedAt, job.deadlineMs]).toEqual([0, 0, 0]);
    expect(parse((await client.call('GetJob', { jobId: await client.enqueue('f', 7) })).args)).toBe(7);
  });

  it.each(['', 'x', NO_JOB, NO_JOB.toUpperCase(), '../../etc', 'a'.repeat(10_000)])(
    'knows no job %j',
    async (jobId) => {
      const client = await serveClient();
      await expect(client.call('GetJob', { jobId })).rejects.toMatchObject(withStatus('NOT_FOUND'));
    },
  );
});

describe('CancelJob', () => {
  it('cancels what is pending, a retry that waits included', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    expect(await client.call('CancelJob', { jobId })).toMatchObject({ success: true });
    expect(await client.statusOf(jobId)).toBe(JOB.cancelled);

    const worker = client.work('w', ['g']);
    const waiting = await client.enqueue('g', [], { options: { initialDelayMs: 3_600_000 } });
    await worker.jobs.next();
    await worker.fail(waiting, 'not yet');
    expect(await client.call('CancelJob', { jobId: waiting })).toMatchObject({ success: true });
    expect(await client.statusOf(waiting)).toBe(JOB.cancelled);
  });

  it('says why it cancels nothing else', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    const running = await client.call('CancelJob', { jobId });
    expect(running).toEqual({ success: false, message: 'it is running' });
    await worker.succeed(jobId);
    const ended = await client.call('CancelJob', { jobId });
    expect(ended).toEqual({ success: false, message: 'it has ended: success' });
    for (const unknown of ['', 'x', NO_JOB]) {
      const { success, message } = await client.call('CancelJob', { jobId: unknown });
      expect([success, message]).toEqual([false, expect.stringContaining('there is no job')]);
    }
  });
});

describe('RetryJob', () => {
  it('puts a dead job back to pending, its attempts counted from the start', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f');
    expect((await worker.jobs.next()).attempt).toBe(1);
    await worker.fail(jobId, 'for ever', false);
    expect(await client.call('GetJob', { jobId })).toMatchObject({ status: JOB.dead, error: 'for ever' });
    expect(await client.call('RetryJob', { jobId })).toMatchObject({ success: true });
    expect(await worker.jobs.next()).toMatchObject({ id: jobId, attempt: 1 });
    expect(await worker.succeed(jobId, 'now')).toMatchObject({ newStatus: JOB.success });
  });

  it('says why it retries nothing else', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    const pending = await client.call('RetryJob', { jobId });
    expect(pending).toEqual({ success: false, message: 'only dead jobs are retried, and it is pending' });
    for (const unknown of ['', 'x', NO_JOB]) {
      const { success, message } = await client.call('RetryJob', { jobId: unknown });
      expect([success, message]).toEqual([false, expect.stringContaining('there is no job')]);
    }
  });
});

describe('a call', () => {
  it('is refused in words that can be sent, whatever it quotes', async () => {
    const client = await serveClient();
    for (const text of ['\u{1f600}', `{"${'\u{1f600}'.repeat(60)}":{"__proto__":1}}`]) {
      const call = client.call('EnqueueJob', { name: 'f', args: Buffer.from(text) });
      await expect(call).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    }
    expect((await client.call('ListJobs', {})).total).toBe(0);
  });

  it('ends by its deadline', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    await expect(client.call('GetJob', { jobId: 'x' }, { deadline: Date.now() - 1 })).rejects.toMatchObject(
      withStatus('DEADLINE_EXCEEDED'),
    );
    expect(worker.jobs.all).toEqual([]);
  });

  it('may be one of many at once', async () => {
    const server = await serve();
    const clients = Array.from({ length: 4 }, () => connect(server));
    const calls = clients.flatMap((client) => Array.from({ length: 100 }, (_, i) => client.enqueue('f', [i])));
    const ids = await Promise.all(calls);
    expect(new Set(ids).size).toBe(400);
    expect((await clients[0]?.call('ListJobs', {}))?.total).toBe(400);
  });
});
