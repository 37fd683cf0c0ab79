import { describe, expect, test } from 'vitest';
import { type ListJobsQuery, NonRetryableError } from '../../src/index.ts';
import { createFixture, withCode } from './client-fixture.ts';

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

async function startEnqueuer() {
  const fixture = createFixture();
  const client = await fixture.startClient({ workerConcurrency: 0 });
  const f = client.durable('f', (x: number) => x);
  return { ...fixture, client, f };
}

describe('ids', () => {
  test('getJob answers null for an id that no job has', async () => {
    const { client } = await startEnqueuer();
    expect(await client.getJob(UNKNOWN_ID)).toBeNull();
  });

  test.each(['', 'x', UNKNOWN_ID.toUpperCase().replace('0189', 'ABCD'), 5, null])('%o is refused', async (id) => {
    const { client } = await startEnqueuer();
    const jobId = id as string;
    const refused = expect.objectContaining(withCode('invalid_argument'));
    expect(() => client.getHandle(jobId)).toThrow(refused);
    await expect(client.getJob(jobId)).rejects.toEqual(refused);
    await expect(client.cancelJob(jobId)).rejects.toEqual(refused);
    await expect(client.retryJob(jobId)).rejects.toEqual(refused);
  });

  test('cancelJob and retryJob of an id that no job has reject', async () => {
    const { client } = await startEnqueuer();
    await expect(client.cancelJob(UNKNOWN_ID)).rejects.toMatchObject(withCode('job_not_found'));
    await expect(client.retryJob(UNKNOWN_ID)).rejects.toMatchObject(withCode('job_not_found'));
  });
});

describe('retryJob', () => {
  test('runs a dead job again, with its attempts anew', async () => {
    const { client, f, startClient, runtime } = await startEnqueuer();
    let isBroken = true;
    const worker = await startClient();
    worker.durable('f', (x: number) => {
      if (isBroken) throw new NonRetryableError('broken');
      return x * 10;
    });
    const handle = await f(4);
    await runtime.advance(0);
    expect(await handle.status()).toBe('dead');
    isBroken = false;
    expect(await client.retryJob(handle.jobId)).toBe(true);
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 1, result: 40, error: null });
    expect((await handle.details()).history).toHaveLength(1);
    expect(await client.retryJob(handle.jobId)).toBe(false);
  });
});

describe('listJobs', () => {
  test('shows the newest first, a page of them, and how many there are', async () => {
    const { client, f, runtime } = await startEnqueuer();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await f(i)).jobId);
      await runtime.advance(10);
    }
    const { jobs, total } = await client.listJobs({ limit: 2, offset: 1 });
    expect(total).toBe(5);
    expect(jobs.map(({ id }) => id)).toEqual([ids[3], ids[2]]);
    const oldest = await client.listJobs({ limit: 1, ascending: true });
    expect(oldest.jobs.map(({ id }) => id)).toEqual([ids[0]]);
  });

  test('filters by status and name, and orders by due time', async () => {
    const { client, f } = await startEnqueuer();
    const g = client.durable('g', () => 1);
    const late = await g({ delayMs: 500 });
    const soon = await g({ delayMs: 100 });
    const cancelled = await f(1);
    await cancelled.cancel();
    const page = await client.listJobs({ names: ['g'], orderBy: 'scheduledAt', ascending: true });
    expect(page.jobs.map(({ id }) => id)).toEqual([soon.jobId, late.jobId]);
    expect(await client.listJobs({ statuses: ['cancelled'] })).toMatchObject({
      total: 1,
      jobs: [{ id: cancelled.jobId, status: 'cancelled' }],
    });
    expect(await client.listJobs({ statuses: ['dead'], names: ['f', 'g'] })).toEqual({ jobs: [], total: 0 });
  });

  test.each<[object | null, string]>([
    [null, 'invalid_option'],
    [{ status: 'dead' }, 'invalid_option'],
    [{ statuses: 'dead' }, 'invalid_option'],
    [{ statuses: ['failed'] }, 'invalid_option'],
    [{ names: ['a b'] }, 'invalid_name'],
    [{ names: Array.from({ length: 1001 }, () => 'f') }, 'invalid_option'],
    [{ limit: 0 }, 'invalid_option'],
    [{ limit: 1001 }, 'invalid_option'],
    [{ offset: -1 }, 'invalid_option'],
    [{ offset: 1.5 }, 'invalid_option'],
    [{ orderBy: 'name' }, 'invalid_option'],
    [{ ascending: 1 }, 'invalid_option'],
  ])('refuses %j', async (query, code) => {
    const { client, storage } = await startEnqueuer();
    await expect(client.listJobs(query as ListJobsQuery)).rejects.toMatchObject({ code });
    expect(storage.count('listJobs')).toBe(0);
  });
});

test('counts() are by name and status', async () => {
  const { client, f, startClient, runtime } = await startEnqueuer();
  const worker = await startClient();
  worker.durable('f', (x: number) => x);
  await f.enqueueMany([[1], [2]]);
  await f(3, { delayMs: 1000 });
  await client.durable('g', () => 1)();
  await runtime.advance(0);
  expect(await client.counts()).toEqual([
    { name: 'f', pending: 1, running: 0, success: 2, dead: 0, cancelled: 0 },
    { name: 'g', pending: 1, running: 0, success: 0, dead: 0, cancelled: 0 },
  ]);
});
