import { describe, expect, it } from 'vitest';
import { type GrpcClient, type PollConnection, parse } from './grpc-client.ts';
import { connect, lmdbUrl, open, serve, serveClient } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

/** Takes and ends jobs until `worker` has had so many. */
async function work(worker: PollConnection, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const { id, name } = await worker.jobs.next();
    await worker.succeed(id);
    names.push(name);
  }
  return names;
}

function running(client: GrpcClient): Promise<number> {
  return client.call('ListJobs', { statuses: [JOB.running] }).then(({ total }) => total);
}

describe('a worker', () => {
  it('is sent jobs of its names, as they are when they run', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    await client.enqueue('g');
    const jobId = await client.enqueue('f', ['a', 1], { options: { timeoutMs: 5000, maxAttempts: 9 } });
    const job = await worker.jobs.next();
    expect(job).toMatchObject({ id: jobId, name: 'f', attempt: 1, status: JOB.running, maxAttempts: 9 });
    expect(parse(job.args)).toEqual(['a', 1]);
    expect(job.startedAt).toBeGreaterThanOrEqual(job.createdAt);
    expect(Math.abs(job.deadlineMs - job.startedAt - 5000)).toBeLessThan(1000);
    expect(await running(client)).toBe(1);
  });

  it('is sent nothing before it has said anything, nor with a concurrency of 0 or less', async () => {
    const client = await serveClient();
    const silent = client.poll();
    const idle = [0, -1].map((concurrency) => client.work(`idle${concurrency}`, ['f'], concurrency));
    const worker = client.work('w', ['f'], 1);
    for (let i = 0; i < 20; i++) await client.enqueue('f');
    await work(worker, 20);
    expect([silent, ...idle].flatMap(({ jobs }) => jobs.all)).toEqual([]);
  });

  it('has its names replaced by each message', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['a'], 1);
    await client.enqueue('a');
    expect(await work(worker, 1)).toEqual(['a']);
    worker.register({ workerId: 'w', names: ['b'], concurrency: 1 });
    await client.enqueue('b');
    expect(await work(worker, 1)).toEqual(['b']);
    const jobId = await client.enqueue('a');
    await client.enqueue('b');
    expect(await work(worker, 1)).toEqual(['b']);
    expect(await client.statusOf(jobId)).toBe(JOB.pending);
  });

  it('takes every name if it names none, those that come later too', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    await client.enqueue('old');
    const worker = client.work('w', [], 1);
    expect(await work(worker, 1)).toEqual(['old']);
    await client.enqueue('new');
    expect(await work(worker, 1)).toEqual(['new']);
    const other = connect(await serve({ storage }));
    await other.enqueue('from-another-server');
    expect(await work(worker, 1)).toEqual(['from-another-server']);
    worker.register({ workerId: 'w', names: ['old'], concurrency: 1 });
    await client.enqueue('old');
    expect(await work(worker, 1)).toEqual(['old']);
  });

  it('never has more in hand than its concurrency', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f'], 3);
    for (let i = 0; i < 10; i++) await client.enqueue('f');
    for (let ended = 0; ended < 10; ended++) {
      await worker.jobs.reach(Math.min(10, ended + 3));
      expect(worker.jobs.all.length - ended).toBeLessThanOrEqual(3);
      expect(await running(client)).toBe(Math.min(3, 10 - ended));
      await worker.succeed(worker.jobs.all[ended]?.id ?? '');
    }
  });

  it('has its concurrency replaced by each message', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f'], 1);
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push(await client.enqueue('f'));
    await worker.jobs.reach(1);
    worker.register({ workerId: 'w', names: ['f'], concurrency: 4 });
    await worker.jobs.reach(4);
    expect(await running(client)).toBe(4);
    worker.register({ workerId: 'w', names: ['f'], concurrency: 2 });
    // Heard before the acks, as it came first on the connection.
    for (const id of ids.slice(0, 3)) await worker.succeed(id);
    await worker.jobs.reach(5);
    expect(await running(client)).toBe(2);
  });

  it.each([
    ['no id', { workerId: '', names: ['f'] }],
    ['an id that is too long', { workerId: 'w'.repeat(201), names: ['f'] }],
    ['a name that is none', { workerId: 'w', names: ['no name'] }],
    ['too many names', { workerId: 'w', names: Array.from({ length: 1001 }, (_, i) => `f${i}`) }],
  ])('with %s is refused', async (_title, request) => {
    const client = await serveClient();
    const worker = client.poll();
    worker.register({ concurrency: 1, ...request });
    expect(await worker.jobs.ended).toMatchObject(withStatus('INVALID_ARGUMENT'));
  });

  it('keeps its id as long as its stream', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f'], 1);
    worker.register({ workerId: 'v', names: ['f'], concurrency: 1 });
    expect(await worker.jobs.ended).toMatchObject(withStatus('INVALID_ARGUMENT'));
  });
});

describe('what a worker has in hand when its stream ends', () => {
  it.each([
    ['end', 1],
    ['cancel', 2],
    ['close', 2],
  ] as const)('is pending at once, and counts as an attempt unless it said goodbye (%s)', async (how, attempt) => {
    const server = await serve();
    const client = connect(server);
    const leaving = connect(server);
    const worker = leaving.work('w', ['f'], 2);
    const ids = [await client.enqueue('f'), await client.enqueue('f')];
    await worker.jobs.reach(2);
    if (how === 'close') leaving.close();
    worker[how === 'end' ? 'end' : 'cancel']();
    await expect.poll(() => running(client), { timeout: 2000 }).toBe(0);
    const other = client.work('v', ['f'], 2);
    await other.jobs.reach(2);
    expect(other.jobs.all.map(({ id, attempt }) => [id, attempt])).toEqual(ids.map((id) => [id, attempt]));
  });

  it('leaves no trace in the history of the job if it said goodbye', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const worker = client.work('w', ['f'], 1);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    worker.end();
    await expect.poll(() => client.statusOf(jobId)).toBe(JOB.pending);
    expect(await (await open(storage)).getAttempts({ jobId })).toEqual([]);
  });

  it('ends dead if each worker that takes it goes without a goodbye', async () => {
    const server = await serve();
    const client = connect(server);
    const jobId = await client.enqueue('f', [], { options: { maxAttempts: 3 } });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const worker = client.work(`w${attempt}`, ['f'], 1);
      expect(await worker.jobs.next()).toMatchObject({ attempt });
      worker.cancel();
    }
    await expect.poll(() => client.statusOf(jobId)).toBe(JOB.dead);
    expect((await client.call('GetJob', { jobId })).error).toContain('worker w3 was lost');
  });
});

describe('a second stream of a worker', () => {
  it('replaces the first, which gives back what it had', async () => {
    const server = await serve();
    const client = connect(server);
    const first = connect(server).work('w', ['f'], 1);
    const jobId = await client.enqueue('f');
    await first.jobs.next();
    const second = connect(server).work('w', ['f'], 1);
    expect(await first.jobs.ended).toMatchObject(withStatus('ABORTED'));
    expect(await second.jobs.next()).toMatchObject({ id: jobId, attempt: 1 });
    await expect(first.succeed(jobId, 'stale')).rejects.toMatchObject(withStatus('FAILED_PRECONDITION'));
    expect(await second.succeed(jobId)).toMatchObject({ newStatus: JOB.success });
  });

  it('stays when the first is closed', async () => {
    const server = await serve();
    const client = connect(server);
    const connection = connect(server);
    const first = connection.work('w', ['f'], 1);
    await client.enqueue('f');
    await first.jobs.next();
    const second = client.work('w', ['f'], 1);
    await work(second, 1);
    first.register({ workerId: 'w', names: ['f'], concurrency: 1 });
    first.cancel();
    connection.close();
    const jobId = await client.enqueue('f');
    const { id } = await second.jobs.next();
    expect(id).toBe(jobId);
    const ack = { jobId, workerId: 'w', result: { success: true } };
    expect(await connect(server).call('AckJob', ack)).toMatchObject({ newStatus: JOB.success });
  });
});

describe('several workers', () => {
  it('share the jobs of a name, and each takes its own', async () => {
    const client = await serveClient();
    const workers = ['u', 'v', 'w'].map((id) => client.work(id, ['f', id], 2));
    await Promise.all(Array.from({ length: 6 }, () => client.enqueue('f')));
    await Promise.all(workers.map((worker) => worker.jobs.reach(2)));
    const taken = workers.flatMap(({ jobs }) => jobs.all.map(({ id }) => id));
    expect(new Set(taken).size).toBe(6);
  });

  it('are not held up by one that reads nothing', async () => {
    const server = await serve();
    const client = connect(server);
    const deaf = connect(server).work('deaf', ['big'], 1000);
    deaf.pause();
    const large = ['x'.repeat(100_000)];
    for (let i = 0; i < 50; i++) await client.enqueue('big', large);
    await expect.poll(() => running(client), { timeout: 5000 }).toBe(50);
    const worker = client.work('w', ['f'], 1);
    for (let i = 0; i < 20; i++) {
      await client.enqueue('f');
      await work(worker, 1);
    }
  });
});
