import { expect, test } from 'vitest';
import type { ListJobsParams, Storage } from '../../src/core/storage.ts';
import { currentJob, type JobHandle, type Reseolio, sleep, waitForSignal } from '../../src/index.ts';
import { type ClientFixture, createFixture } from '../client/client-fixture.ts';
import { work } from './workflow-fixture.ts';

test('a child knows its parent, and a parent can be asked for its children', async () => {
  const { runtime, startClient } = createFixture();
  const client = await startClient();
  const seen: (string | null)[] = [];
  const child = client.durable('child', () => {
    seen.push(currentJob().parentId);
  });
  const parent = client.durable('parent', async () => {
    seen.push(currentJob().parentId);
    const handles = await child.enqueueMany([[], []]);
    await Promise.all(handles.map((handle) => handle.result()));
    return handles.map(({ jobId }) => jobId);
  });
  const handle = await parent();
  await parent();
  await runtime.advance(100);
  expect(seen).toEqual([null, null, handle.jobId, handle.jobId, expect.any(String), expect.any(String)]);
  const { jobs, total } = await client.listJobs({ parentId: handle.jobId, ascending: true });
  expect(total).toBe(2);
  expect(jobs.map(({ id }) => id)).toEqual((await handle.details()).result);
  for (const { id } of jobs) expect(await client.getJob(id)).toMatchObject({ parentId: handle.jobId });
  expect(await handle.details()).toMatchObject({ parentId: null });
});

/** A parent that waits for a child, which waits for its own, which waits for `leaf`. */
async function startFamily({ runtime, startClient }: ClientFixture, leaf: () => Promise<unknown>): Promise<Family> {
  const client = await startClient({ suspendAfterMs: 50 });
  const grandchild = client.durable('grandchild', leaf, { maxAttempts: 1 });
  const child = client.durable('child', async () => (await grandchild()).result());
  const parent = client.durable('parent', async () => (await child()).result());
  const handle = await parent();
  await runtime.advance(500);
  return { client, handle };
}

interface Family {
  readonly client: Reseolio;
  readonly handle: JobHandle;
}

async function listStates(client: Reseolio): Promise<Record<string, string>> {
  const { jobs } = await client.listJobs({});
  return Object.fromEntries(jobs.map(({ name, status }) => [name, status]));
}

test('cancelling a parent cancels what waits below it, on all levels', async () => {
  const fixture = createFixture();
  const { client, handle } = await startFamily(fixture, () => sleep(3_600_000));
  expect(await listStates(client)).toEqual({ parent: 'pending', child: 'pending', grandchild: 'pending' });
  expect(await handle.cancel()).toBe(true);
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled', grandchild: 'cancelled' });
});

test('cancelling a parent asks what runs below it to stop', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const reasons: unknown[] = [];
  const { client, handle } = await startFamily(fixture, () => {
    const { signal } = currentJob();
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason);
        reject(signal.reason as Error);
      });
    });
  });
  expect(await listStates(client)).toMatchObject({ parent: 'pending', grandchild: 'running' });
  expect(await handle.cancel()).toBe(true);
  await runtime.advance(100);
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled', grandchild: 'cancelled' });
  expect(reasons).toMatchObject([{ code: 'job_cancelled' }]);
});

test('a parent that runs keeps its children unless it is asked to stop too', async () => {
  const fixture = createFixture();
  const { runtime, startClient } = fixture;
  const client = await startClient();
  const child = client.durable('child', () => waitForSignal('go'));
  const parent = client.durable('parent', async () => (await child()).result());
  const handle = await parent();
  await runtime.advance(100);
  expect(await handle.cancel()).toBe(false);
  expect(await listStates(client)).toEqual({ parent: 'running', child: 'running' });
  expect(await handle.cancel({ running: true })).toBe(true);
  await runtime.advance(100);
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled' });
});

test('cancelling again does no harm, and is refused for what has ended', async () => {
  const fixture = createFixture();
  const { runtime } = fixture;
  const { client, handle } = await startFamily(fixture, () => work(runtime, 1000));
  expect(await handle.cancel()).toBe(true);
  expect(await handle.cancel()).toBe(false);
  expect(await handle.cancel({ running: true })).toBe(false);
  await runtime.advance(2000);
  // It did not heed its signal, and returned.
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled', grandchild: 'success' });
});

test('cancelling again reaches those that were left when whoever cancelled first died', async () => {
  const fixture = createFixture();
  const { storage, startClient } = fixture;
  const { client, handle } = await startFamily(fixture, () => sleep(3_600_000));
  let lists = 0;
  const dying = new Proxy<Storage>(storage, {
    get: (target, key) => {
      if (key !== 'listJobs') return Reflect.get(target, key);
      return (params: ListJobsParams) =>
        ++lists === 1 ? target.listJobs(params) : Promise.reject(new Error('the process died'));
    },
  });
  const other = await startClient({ workerConcurrency: 0, storage: dying });
  await expect(other.getHandle(handle.jobId).cancel()).rejects.toThrow('died');
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled', grandchild: 'pending' });
  expect(await handle.cancel()).toBe(false);
  expect(await listStates(client)).toEqual({ parent: 'cancelled', child: 'cancelled', grandchild: 'cancelled' });
});
