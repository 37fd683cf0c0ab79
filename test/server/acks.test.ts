import { describe, expect, it } from 'vitest';
import type { GrpcClient, PollConnection } from './grpc-client.ts';
import { connect, lmdbUrl, serve, serveClient, steal } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

interface Taken {
  readonly client: GrpcClient;
  readonly worker: PollConnection;
  readonly jobId: string;
}

/** A worker with a job of `f` in hand. */
async function take(client: GrpcClient, options = {}): Promise<Taken> {
  const worker = client.work('w', ['f'], 1);
  const jobId = await client.enqueue('f', [], { options });
  await worker.jobs.next();
  return { client, worker, jobId };
}

describe('an ack', () => {
  it('of a success stores the result, and says so', async () => {
    const { client, worker, jobId } = await take(await serveClient());
    expect(await worker.succeed(jobId, { a: [1] })).toEqual({ newStatus: JOB.success, nextAttempt: 0, nextRunAt: 0 });
    const job = await client.call('GetJob', { jobId });
    expect(job).toMatchObject({ status: JOB.success, attempt: 1, error: '', result: Buffer.from('{"a":[1]}') });
    expect(job.completedAt).toBeGreaterThanOrEqual(job.startedAt);
    expect(job.startedAt).toBeGreaterThanOrEqual(job.scheduledAt);
  });

  it('that comes after its time is not answered for an earlier attempt', async () => {
    const options = { maxAttempts: 2, initialDelayMs: 1, timeoutMs: 50 };
    const { client, worker, jobId } = await take(await serveClient(), options);
    await worker.fail(jobId, 'first');
    await worker.jobs.next();
    await expect.poll(() => client.statusOf(jobId), { timeout: 5000 }).toBe(JOB.dead);
    await expect(worker.succeed(jobId, 'late')).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
  });

  it('may be without a result', async () => {
    const { client, worker, jobId } = await take(await serveClient());
    await worker.succeed(jobId);
    expect(await client.call('GetJob', { jobId })).toMatchObject({ status: JOB.success, result: Buffer.alloc(0) });
  });

  it('of a failure says which attempt is next and when', async () => {
    const options = { maxAttempts: 2, initialDelayMs: 3_600_000, maxDelayMs: 3_600_000, jitter: 0.01 };
    const { client, worker, jobId } = await take(await serveClient(), options);
    const before = Date.now();
    const { newStatus, nextAttempt, nextRunAt } = await worker.fail(jobId, 'no luck');
    expect([newStatus, nextAttempt]).toEqual([JOB.pending, 2]);
    expect(Math.abs(nextRunAt - before - 3_600_000)).toBeLessThan(100_000);
    const job = await client.call('GetJob', { jobId });
    expect(job).toMatchObject({ status: JOB.pending, error: 'no luck', scheduledAt: nextRunAt });
  });

  it('of the last failure ends the job, as does one that must not be retried', async () => {
    const { client, worker, jobId } = await take(await serveClient(), { maxAttempts: 2, initialDelayMs: 1 });
    expect((await worker.fail(jobId, 'one')).newStatus).toBe(JOB.pending);
    expect(await worker.jobs.next()).toMatchObject({ id: jobId, attempt: 2 });
    expect(await worker.fail(jobId, 'two')).toEqual({ newStatus: JOB.dead, nextAttempt: 0, nextRunAt: 0 });
    const final = await client.enqueue('f');
    await worker.jobs.next();
    expect((await worker.fail(final, 'never', false)).newStatus).toBe(JOB.dead);
    expect(await client.call('GetJob', { jobId: final })).toMatchObject({ status: JOB.dead, error: 'never' });
  });

  it('that is repeated gets the same answer, and changes nothing', async () => {
    const { client, worker, jobId } = await take(await serveClient(), { initialDelayMs: 3_600_000 });
    const answer = await worker.fail(jobId, 'first');
    expect(await worker.fail(jobId, 'second')).toEqual(answer);
    expect(await worker.succeed(jobId, 'third')).toEqual(answer);
    expect(await client.call('GetJob', { jobId })).toMatchObject({ status: JOB.pending, error: 'first' });
  });

  it('that is repeated at once gets the same answer', async () => {
    const { worker, jobId } = await take(await serveClient());
    const answers = await Promise.all([worker.succeed(jobId, 1), worker.succeed(jobId, 2), worker.fail(jobId, '')]);
    expect(new Set(answers.map(({ newStatus }) => newStatus))).toEqual(new Set([JOB.success]));
  });
});

describe('an ack is refused, and changes nothing,', () => {
  it('without a result', async () => {
    const { client, worker, jobId } = await take(await serveClient());
    await expect(client.call('AckJob', { jobId })).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    expect(await client.statusOf(jobId)).toBe(JOB.running);
    expect((await worker.succeed(jobId)).newStatus).toBe(JOB.success);
  });

  it('with a value that is no JSON', async () => {
    const { client, worker, jobId } = await take(await serveClient());
    for (const text of ['{', '"\xff"', '{"__proto__":1}', '['.repeat(5000) + ']'.repeat(5000)]) {
      const result = { success: true, returnValue: Buffer.from(text, 'latin1') };
      await expect(client.call('AckJob', { jobId, result })).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    }
    expect(await client.statusOf(jobId)).toBe(JOB.running);
    expect((await worker.succeed(jobId)).newStatus).toBe(JOB.success);
  });

  it.each(['', 'x', '01900000-0000-7000-8000-000000000000'])('for the unknown job %j', async (jobId) => {
    const { worker } = await take(await serveClient());
    await expect(worker.succeed(jobId)).rejects.toMatchObject(withStatus('NOT_FOUND'));
  });

  it('for a job that nobody has in hand', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    const result = { success: true };
    await expect(client.call('AckJob', { jobId, result })).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.statusOf(jobId)).toBe(JOB.pending);
  });

  it('from another connection, unless it names the worker', async () => {
    const server = await serve();
    const { client, jobId } = await take(connect(server));
    const other = connect(server);
    const ack = { jobId, result: { success: true } };
    await expect(other.call('AckJob', ack)).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    const stranger = { ...ack, workerId: 'stranger' };
    await expect(other.call('AckJob', stranger)).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.statusOf(jobId)).toBe(JOB.running);
    expect(await other.call('AckJob', { ...ack, workerId: 'w' })).toMatchObject({ newStatus: JOB.success });
  });

  it('when the attempt has timed out', async () => {
    const { client, worker, jobId } = await take(await serveClient(), { timeoutMs: 1, initialDelayMs: 3_600_000 });
    await expect.poll(() => client.statusOf(jobId), { timeout: 5000 }).toBe(JOB.pending);
    expect((await client.call('GetJob', { jobId })).error).toContain('timeoutMs');
    await expect(worker.succeed(jobId)).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.statusOf(jobId)).toBe(JOB.pending);
  });

  it('for an attempt that is not the one in hand, if it says which', async () => {
    const { client, worker, jobId } = await take(await serveClient(), { timeoutMs: 1, initialDelayMs: 1 });
    expect((await worker.jobs.next()).attempt).toBe(2);
    const ack = { jobId, result: { success: true } };
    for (const attempt of [1, 3, -1]) {
      const late = client.call('AckJob', { ...ack, attempt });
      await expect(late).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    }
    expect(await client.statusOf(jobId)).toBe(JOB.running);
    expect(await client.call('AckJob', { ...ack, attempt: 2 })).toMatchObject({ newStatus: JOB.success });
  });

  it('when the stream has ended that the job came on', async () => {
    const { client, worker, jobId } = await take(await serveClient());
    worker.cancel();
    await expect.poll(() => client.statusOf(jobId)).toBe(JOB.pending);
    await expect(worker.succeed(jobId)).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.statusOf(jobId)).toBe(JOB.pending);
  });
});

describe('an ack for an attempt whose lease another process took', () => {
  it('changes nothing, and the worker is given more', async () => {
    const storage = lmdbUrl();
    const { client, worker, jobId } = await take(connect(await serve({ storage, leaseMs: 60_000 })));
    await steal(storage, jobId, 'new');
    await expect(worker.succeed(jobId, 'stale')).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.call('GetJob', { jobId })).toMatchObject({ status: JOB.success, result: Buffer.from('"new"') });
    const next = await client.enqueue('f');
    expect((await worker.jobs.next()).id).toBe(next);
  });

  it('changes nothing when the server has noticed, and the worker has been given more', async () => {
    const storage = lmdbUrl();
    const { client, worker, jobId } = await take(connect(await serve({ storage, leaseMs: 300 })));
    await steal(storage, jobId, 'new');
    const next = await client.enqueue('f');
    expect((await worker.jobs.next()).id).toBe(next);
    await expect(worker.succeed(jobId, 'stale')).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await client.call('GetJob', { jobId })).toMatchObject({ status: JOB.success, result: Buffer.from('"new"') });
  });
});
