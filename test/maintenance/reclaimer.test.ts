import { describe, expect, test } from 'vitest';
import { ReseolioError } from '../../src/index.ts';
import { createFixture } from '../client/client-fixture.ts';

/** A job that some worker claimed, which then died. */
async function leaveBehind(fixture: ReturnType<typeof createFixture>, count: number, leaseMs: number) {
  const web = await fixture.startClient({ workerConcurrency: 0, leaseMs: 3_600_000 });
  const handles = await web.durable('f', () => 1).enqueueMany(Array.from({ length: count }, () => []));
  const token = '01890000-0000-7000-8000-00000000000f';
  await fixture.storage.claim({ workerId: 'gone', leaseToken: token, names: ['f'], limit: count, leaseMs });
  await web.stop();
  return handles.map(({ jobId }) => jobId);
}

describe('reclaiming', () => {
  test('is done by a client that only enqueues, soon after the lease has expired', async () => {
    const fixture = createFixture();
    const [jobId = ''] = await leaveBehind(fixture, 1, 5000);
    const client = await fixture.startClient({ workerConcurrency: 0 });
    await fixture.runtime.advance(4990);
    expect(await client.getHandle(jobId).status()).toBe('running');
    await fixture.runtime.advance(600);
    expect(await client.getHandle(jobId).details()).toMatchObject({
      status: 'pending',
      history: [{ outcome: 'lost', workerId: 'gone' }],
    });
  });

  test('at the start of a client finds what expired while nobody was there', async () => {
    const fixture = createFixture();
    const ids = await leaveBehind(fixture, 2500, 5000);
    await fixture.runtime.advance(3_600_000);
    const client = await fixture.startClient({ workerConcurrency: 0 });
    await fixture.runtime.advance(50);
    expect(await client.counts()).toMatchObject([{ name: 'f', pending: ids.length, running: 0 }]);
    for (const { limit } of fixture.storage.paramsOf('reclaimExpired')) expect(limit).toBe(1000);
  });

  test('asks about twice a lease while nothing is held', async () => {
    const { startClient, runtime, storage } = createFixture();
    await startClient({ leaseMs: 10_000 });
    await runtime.advance(100_000);
    expect(storage.count('reclaimExpired')).toBeGreaterThanOrEqual(18);
    expect(storage.count('reclaimExpired')).toBeLessThanOrEqual(21);
  });

  test('goes on after errors, with backoff', async () => {
    const fixture = createFixture();
    const { runtime, storage } = fixture;
    const [jobId = ''] = await leaveBehind(fixture, 1, 5000);
    const before = storage.count('reclaimExpired');
    const outage = new ReseolioError('storage_unavailable', 'gone for now');
    storage.fail('reclaimExpired', outage);
    const client = fixture.createClient({ workerConcurrency: 0 });
    const events: unknown[] = [];
    client.on('storage:error', (event) => events.push(event));
    await client.start();
    await runtime.advance(30_000);
    expect(storage.count('reclaimExpired') - before).toBe(events.length);
    expect(events.length).toBeGreaterThanOrEqual(8);
    expect(events.length).toBeLessThanOrEqual(15);
    expect(events[0]).toEqual({ operation: 'reclaim', error: outage, isFinal: false });
    storage.heal('reclaimExpired');
    await runtime.advance(6000);
    expect(await client.getHandle(jobId).status()).toBe('pending');
  });
});
