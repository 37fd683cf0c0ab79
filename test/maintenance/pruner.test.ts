import { describe, expect, test } from 'vitest';
import { type JobState, NonRetryableError, type Reseolio, type ReseolioOptions } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';

const DAY_MS = 86_400_000;

/** Leaves one job in each finished state. */
async function finishOneOfEach(client: Reseolio) {
  const succeed = client.durable('succeed', () => 1);
  const die = client.durable('die', () => Promise.reject(new NonRetryableError('dead')));
  const [success, dead, cancelled] = [await succeed(), await die(), await succeed({ delayMs: DAY_MS })];
  await cancelled.cancel();
  return { success, dead, cancelled };
}

async function statusesAfter(retention: ReseolioOptions['retention'], ms: number): Promise<JobState[]> {
  const { startClient, runtime } = createFixture();
  const client = await startClient({ ...(retention === undefined ? {} : { retention }) });
  await finishOneOfEach(client);
  await runtime.advance(0);
  await client.stop();
  await runtime.advance(ms);
  const later = await startClient({ workerConcurrency: 0, ...(retention === undefined ? {} : { retention }) });
  await runtime.advance(60_000);
  return (await later.listJobs()).jobs.map(({ status }) => status).toSorted();
}

describe('finished jobs are deleted', () => {
  test('after 7 days, dead ones never, by default', async () => {
    expect(await statusesAfter(undefined, 7 * DAY_MS - 120_000)).toEqual(['cancelled', 'dead', 'success']);
    expect(await statusesAfter(undefined, 7 * DAY_MS)).toEqual(['dead']);
    expect(await statusesAfter(undefined, 3650 * DAY_MS)).toEqual(['dead']);
  });

  test('after the time that was set for each state', async () => {
    const retention = { success: null, dead: 3000, cancelled: DAY_MS };
    expect(await statusesAfter(retention, 3000)).toEqual(['cancelled', 'success']);
    expect(await statusesAfter(retention, 2 * DAY_MS)).toEqual(['success']);
  });

  test('and never where every time is null', async () => {
    const { startClient, runtime, storage } = createFixture();
    await startClient({ retention: { success: null, cancelled: null } });
    await runtime.advance(DAY_MS / 24);
    expect(storage.count('prune')).toBe(0);
  });

  test('in batches with pauses, until none is left', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 2000, retention: { success: 1000 } });
    const f = client.durable('f', () => 1);
    await f.enqueueMany(Array.from({ length: 1600 }, () => []));
    await runtime.advance(1001);
    const before = storage.count('prune');
    await runtime.advance(60_000);
    expect(await client.counts()).toEqual([]);
    const prunes = storage.paramsOf('prune').slice(before);
    expect(prunes.every(({ limit }) => limit === 500)).toBe(true);
    expect(prunes.filter(({ state }) => state === 'success').length).toBeGreaterThanOrEqual(4);
    expect(prunes.some(({ state }) => state === 'dead')).toBe(false);
  });

  test('as fast as they come, 500 each 10 ms, once there is more than one batch', async () => {
    const { startClient, runtime, storage } = createFixture();
    const client = await startClient({ workerConcurrency: 2000, retention: { success: 1000 } });
    const f = client.durable('f', () => 1);
    await f.enqueueMany(Array.from({ length: 2000 }, () => []));
    await runtime.advance(1001);
    expect(await client.counts()).toMatchObject([{ success: 2000 }]);
    const before = storage.count('prune');
    while (storage.count('prune') === before) await runtime.advance(1);
    await runtime.advance(40);
    expect(await client.counts()).toEqual([]);
  });

  test('and with a success its idempotency key', async () => {
    const { startClient, runtime } = createFixture();
    const client = await startClient({ retention: { success: 1000 } });
    const f = client.durable('f', () => 1);
    const first = await f({ idempotencyKey: 'k' });
    await runtime.advance(500);
    expect(await f({ idempotencyKey: 'k' })).toMatchObject({ jobId: first.jobId, deduplicated: true });
    await runtime.advance(130_000);
    expect(await f({ idempotencyKey: 'k' })).toMatchObject({ deduplicated: false });
    await expect(first.status()).rejects.toMatchObject({ code: 'job_not_found' });
  });
});

test('pruning looks about once a minute and goes on after errors', async () => {
  const { startClient, runtime, storage } = createFixture();
  const client = await startClient({ workerConcurrency: 0, retention: { success: 1000, cancelled: null } });
  await runtime.advance(30 * 60_000);
  expect(storage.count('prune')).toBeGreaterThanOrEqual(26);
  expect(storage.count('prune')).toBeLessThanOrEqual(34);
  const operations: string[] = [];
  client.on('storage:error', ({ operation }) => operations.push(operation));
  storage.fail('prune', new Error('gone for now'));
  await runtime.advance(5 * 60_000);
  expect(operations.length).toBeGreaterThan(5);
  expect(new Set(operations)).toEqual(new Set(['prune']));
  storage.heal('prune');
  await client.durable('f', () => 1)();
  const worker = await startClient({ retention: { success: null } });
  worker.durable('f', () => 1);
  await runtime.advance(3 * 60_000);
  expect(await client.counts()).toEqual([]);
});
