import { describe, expect, it } from 'vitest';
import { parse } from './grpc-client.ts';
import { connect, lmdbUrl, serve, serveClient, startClient, steal } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

const NO_JOB = '01900000-0000-7000-8000-000000000000';

describe('a subscriber is told once', () => {
  it('of a success, with the result', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe(jobId);
    await worker.jobs.next();
    await worker.succeed(jobId, { n: 1 });
    const completion = await subscription.completions.next();
    expect(completion).toMatchObject({ jobId, status: JOB.success, error: '' });
    expect(parse(completion.result)).toEqual({ n: 1 });
  });

  it('of a job that is dead, but of no retry', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f', [], { options: { maxAttempts: 2, initialDelayMs: 1 } });
    const subscription = client.subscribe(jobId);
    for (const error of ['one', 'two']) {
      await worker.jobs.next();
      await worker.fail(jobId, error);
    }
    expect(await subscription.completions.next()).toMatchObject({ jobId, status: JOB.dead, error: 'two' });
    expect(subscription.completions.all).toHaveLength(1);
  });

  it('of a job that is cancelled', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe(jobId);
    await client.call('CancelJob', { jobId });
    expect(await subscription.completions.next()).toMatchObject({ jobId, status: JOB.cancelled });
  });

  it('at once of one that has ended already, a deduplicated one too', async () => {
    const client = await serveClient();
    const request = { name: 'f', idempotencyKey: 'k' };
    const { jobId } = await client.call('EnqueueJob', request);
    await client.call('CancelJob', { jobId });
    const again = await client.call('EnqueueJob', request);
    expect(again).toEqual({ jobId, deduplicated: true });
    expect(await client.subscribe(again.jobId).completions.next()).toMatchObject({ jobId, status: JOB.cancelled });
  });

  it('though it asks twice', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe(jobId, jobId);
    subscription.add(jobId);
    const last = await client.enqueue('f');
    subscription.add(last);
    await client.call('CancelJob', { jobId });
    await client.call('CancelJob', { jobId: last });
    await subscription.completions.reach(2);
    expect(subscription.completions.all.map((completion) => completion.jobId)).toEqual([jobId, last]);
  });

  it('again of one that it asks for again', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe(jobId);
    await worker.jobs.next();
    await worker.fail(jobId, 'dead', false);
    await subscription.completions.next();
    await client.call('RetryJob', { jobId });
    await worker.jobs.next();
    subscription.add(jobId);
    await worker.succeed(jobId, 1);
    expect(await subscription.completions.next()).toMatchObject({ jobId, status: JOB.success });
  });

  it('of a job that another process ended', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const worker = client.work('w', ['f']);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    const subscription = client.subscribe(jobId);
    await steal(storage, jobId, 'elsewhere');
    const completion = await subscription.completions.next();
    expect([completion.status, parse(completion.result)]).toEqual([JOB.success, 'elsewhere']);
  });

  it('of a job that a TypeScript client ran, or cancelled', async () => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const ids = [await client.enqueue('double', [21]), await client.enqueue('nobody')] as [string, string];
    const subscription = client.subscribe(...ids);
    const library = await startClient({ storage });
    library.durable('double', async (n: number) => 2 * n);
    const completion = await subscription.completions.next();
    expect([completion.jobId, parse(completion.result)]).toEqual([ids[0], 42]);
    await library.cancelJob(ids[1]);
    expect(await subscription.completions.next()).toMatchObject({ jobId: ids[1], status: JOB.cancelled });
  });

  it('of all, however large, that ended while it read nothing', async () => {
    const server = await serve();
    const client = connect(server);
    const worker = client.work('w', ['f'], 1);
    const subscription = connect(server).subscribe();
    const large = 'x'.repeat(500_000);
    const ids: string[] = [];
    subscription.pause();
    for (let i = 0; i < 40; i++) {
      const jobId = await client.enqueue('f');
      subscription.add(jobId);
      ids.push(jobId);
      await worker.jobs.next();
      await worker.succeed(jobId, large);
    }
    subscription.resume();
    await subscription.completions.reach(40);
    expect(subscription.completions.all.map(({ jobId }) => jobId).toSorted()).toEqual(ids.toSorted());
    for (const { result } of subscription.completions.all) expect(result).toHaveLength(500_002);
  });

  it('of each of many, by each of several streams', async () => {
    const client = await serveClient();
    const ids = await Promise.all(Array.from({ length: 300 }, () => client.enqueue('f')));
    const subscriptions = [client.subscribe(...ids), client.subscribe(...ids)];
    await Promise.all(ids.map((jobId) => client.call('CancelJob', { jobId })));
    for (const { completions } of subscriptions) {
      await completions.reach(ids.length);
      expect(new Set(completions.all.map(({ jobId }) => jobId))).toEqual(new Set(ids));
    }
  });
});

describe('a subscriber', () => {
  it('is not told of what it no longer asks for', async () => {
    const client = await serveClient();
    const [first, second] = [await client.enqueue('f'), await client.enqueue('f')];
    const subscription = client.subscribe(first, second);
    subscription.remove(first, 'never asked for');
    // Heard when this is answered: an ended job is told of at once.
    const ended = await client.enqueue('f');
    await client.call('CancelJob', { jobId: ended });
    subscription.add(ended);
    await subscription.completions.next();
    await client.call('CancelJob', { jobId: first });
    await client.call('CancelJob', { jobId: second });
    expect(await subscription.completions.next()).toMatchObject({ jobId: second });
  });

  it('may ask for what is not there', async () => {
    const client = await serveClient();
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe('', 'x', NO_JOB, jobId);
    await client.call('CancelJob', { jobId });
    expect(await subscription.completions.next()).toMatchObject({ jobId });
  });

  it('that has nothing more to ask is told of what it asked for, and then the stream ends', async () => {
    const client = await serveClient();
    const [first, second] = [await client.enqueue('f'), await client.enqueue('f')];
    const subscription = client.subscribe(first, second, NO_JOB);
    subscription.end();
    await client.call('CancelJob', { jobId: second });
    await subscription.completions.next();
    await client.call('CancelJob', { jobId: first });
    expect(await subscription.completions.next()).toMatchObject({ jobId: first });
    expect(await subscription.completions.ended).toMatchObject(withStatus('OK'));
    const idle = client.subscribe();
    idle.end();
    expect(await idle.completions.ended).toMatchObject(withStatus('OK'));
  });

  it('is told to connect again when the server stops', async () => {
    const server = await serve();
    const client = connect(server);
    const subscription = client.subscribe(await client.enqueue('f'));
    const worker = client.work('w', ['f'], 1);
    await worker.jobs.next();
    await server.stop();
    expect(await subscription.completions.ended).toMatchObject(withStatus('UNAVAILABLE'));
    expect(await worker.jobs.ended).toMatchObject(withStatus('UNAVAILABLE'));
  });
});
