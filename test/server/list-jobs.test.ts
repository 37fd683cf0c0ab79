import { expect, it } from 'vitest';
import type { GrpcClient, SparseRequest } from './grpc-client.ts';
import { serveClient } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

async function list(client: GrpcClient, request: SparseRequest<'ListJobs'> = {}): Promise<readonly string[]> {
  return (await client.call('ListJobs', request)).jobs.map(({ id }) => id);
}

/** Enqueues one after the other; answers the ids, oldest first. */
async function enqueueSome(client: GrpcClient, count: number, name = 'f'): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await client.enqueue(name, ['a payload']));
  return ids;
}

it('lists the newest first, unless asked otherwise', async () => {
  const client = await serveClient();
  const ids = await enqueueSome(client, 5);
  expect(await list(client)).toEqual(ids.toReversed());
  expect(await list(client, { ascending: true })).toEqual(ids);
  expect(await list(client, { orderBy: 'created_at', ascending: true })).toEqual(ids);
  expect(await list(client, { orderBy: 'scheduled_at' })).toEqual(ids.toReversed());
});

it('orders by when jobs are due, retries that wait included', async () => {
  const client = await serveClient();
  const worker = client.work('w', ['slow']);
  const later = await client.enqueue('slow', [], { options: { initialDelayMs: 3_600_000 } });
  await worker.jobs.next();
  await worker.fail(later, 'not yet');
  const [now] = await enqueueSome(client, 1);
  expect(await list(client, { orderBy: 'scheduled_at', ascending: true })).toEqual([now, later]);
  expect(await list(client, { orderBy: 'created_at', ascending: true })).toEqual([later, now]);
});

it('gives a page, and how many there are in all', async () => {
  const client = await serveClient();
  const ids = await enqueueSome(client, 105);
  expect(await list(client)).toHaveLength(100);
  expect(await list(client, { limit: 1000 })).toHaveLength(105);
  expect(await list(client, { limit: 2 ** 31 - 1 })).toHaveLength(105);
  const page = await client.call('ListJobs', { limit: 2, offset: 3, ascending: true });
  expect(page.jobs.map(({ id }) => id)).toEqual(ids.slice(3, 5));
  expect(page.total).toBe(105);
  expect(await client.call('ListJobs', { offset: 105 })).toEqual({ jobs: [], total: 105 });
});

it('filters by states and by names', async () => {
  const client = await serveClient();
  const [pending, cancelled] = (await enqueueSome(client, 2)) as [string, string];
  const [other] = await enqueueSome(client, 1, 'g');
  await client.call('CancelJob', { jobId: cancelled });
  expect(await list(client, { statuses: [JOB.pending] })).toEqual([other, pending]);
  expect(await list(client, { statuses: [JOB.cancelled, JOB.dead] })).toEqual([cancelled]);
  expect(await list(client, { names: ['f'] })).toEqual([cancelled, pending]);
  expect(await list(client, { names: ['f', 'g'], statuses: [JOB.pending] })).toEqual([other, pending]);
  expect(await client.call('ListJobs', { names: ['nobody'] })).toEqual({ jobs: [], total: 0 });
});

it('finds no job in a state that no job is ever in', async () => {
  const client = await serveClient();
  await enqueueSome(client, 1);
  expect(await client.call('ListJobs', { statuses: [JOB.failed] })).toEqual({ jobs: [], total: 0 });
  expect(await client.call('ListJobs', { statuses: [99] })).toEqual({ jobs: [], total: 0 });
  expect((await client.call('ListJobs', { statuses: [JOB.failed, JOB.pending] })).total).toBe(1);
});

it('leaves payloads out, which GetJob has', async () => {
  const client = await serveClient();
  const [id] = await enqueueSome(client, 1);
  const { jobs } = await client.call('ListJobs', {});
  expect(jobs).toMatchObject([{ id, name: 'f', status: JOB.pending, args: Buffer.alloc(0), result: Buffer.alloc(0) }]);
});

it.each([
  ['an order that is none', { orderBy: 'name' }],
  ['the order in another case', { orderBy: 'CREATED_AT' }],
  ['a negative limit', { limit: -1 }],
  ['a negative offset', { offset: -1 }],
  ['a name that is none', { names: ['no name'] }],
  ['too many names', { names: Array.from({ length: 1001 }, (_, i) => `n${i}`) }],
] satisfies [string, SparseRequest<'ListJobs'>][])('refuses %s', async (_title, request) => {
  const client = await serveClient();
  await expect(client.call('ListJobs', request)).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
});
