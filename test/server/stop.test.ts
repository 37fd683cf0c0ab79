import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/server/reseolio-server.ts';
import { connect, DEFAULTS, lmdbUrl, open, serve } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

const LONG_MS = 60_000;

describe('a server that stops', () => {
  it('waits for what is in hand, and stores how it ends', async () => {
    const storage = lmdbUrl();
    const server = await serve({ storage, shutdownGraceMs: LONG_MS });
    const client = connect(server);
    const worker = client.work('w', ['f'], 2);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    const stopped = server.stop();
    const later = await client.enqueue('f');
    expect(await worker.succeed(jobId, 'in time')).toMatchObject({ newStatus: JOB.success });
    expect(await worker.jobs.ended).toMatchObject(withStatus('UNAVAILABLE'));
    await stopped;
    expect(worker.jobs.all).toHaveLength(1);
    const [ended, pending] = await (await open(storage)).getJobs({ jobIds: [jobId, later] });
    expect([ended?.state, pending?.state]).toEqual(['success', 'pending']);
  });

  it('tells subscribers of what ends while it drains', async () => {
    const server = await serve({ shutdownGraceMs: LONG_MS });
    const client = connect(server);
    const worker = client.work('w', ['f'], 1);
    const jobId = await client.enqueue('f');
    const subscription = client.subscribe(jobId);
    await worker.jobs.next();
    const stopped = server.stop();
    await worker.succeed(jobId, 1);
    expect(await subscription.completions.next()).toMatchObject({ jobId, status: JOB.success });
    await stopped;
  });

  it('puts back what is not ended within the grace time, with no attempt lost', async () => {
    const storage = lmdbUrl();
    const server = await serve({ storage, shutdownGraceMs: 100 });
    const client = connect(server);
    const worker = client.work('w', ['f'], 3);
    const jobIds = [await client.enqueue('f'), await client.enqueue('f')];
    await worker.jobs.reach(2);
    await server.stop();
    const after = await open(storage);
    const jobs = await after.getJobs({ jobIds });
    expect(jobs.map((job) => [job?.state, job?.attempt])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
  });

  it('does not wait for a worker that leaves', async () => {
    const storage = lmdbUrl();
    const server = await serve({ storage, shutdownGraceMs: LONG_MS });
    const client = connect(server);
    const worker = client.work('w', ['f'], 1);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    const stopped = server.stop();
    worker.cancel();
    await stopped;
    const [job] = await (await open(storage)).getJobs({ jobIds: [jobId] });
    expect(job?.state).toBe('pending');
  });

  it('takes on no more workers, and tells them to connect again', async () => {
    const server = await serve({ shutdownGraceMs: LONG_MS });
    const client = connect(server);
    const worker = client.work('w', ['f'], 1);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    const stopped = server.stop();
    const late = client.work('v', ['f'], 1);
    expect(await late.jobs.ended).toMatchObject(withStatus('UNAVAILABLE'));
    await worker.succeed(jobId);
    await stopped;
    await expect(client.enqueue('f')).rejects.toMatchObject(withStatus('UNAVAILABLE'));
  });
});

describe('a server that cannot listen', () => {
  it('says so, and lets go of the storage', async () => {
    const { address } = await serve();
    const storage = lmdbUrl();
    await expect(startServer({ ...DEFAULTS, address, storage })).rejects.toMatchObject({
      code: 'address_unavailable',
      message: expect.stringContaining(`cannot listen on ${address}`),
    });
    const client = connect(await serve({ storage }));
    expect(await client.enqueue('f')).toBeTruthy();
  });
});
