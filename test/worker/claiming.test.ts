import { describe, expect, test } from 'vitest';
import { currentJob, type Reseolio, ReseolioError } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';

describe('a worker claims', () => {
  test('nothing without handlers, and nothing with a concurrency of 0', async () => {
    const { startClient, runtime, storage } = createFixture();
    await startClient();
    const web = await startClient({ workerConcurrency: 0 });
    await web.durable('f', () => 1)();
    await runtime.advance(60_000);
    expect(storage.count('claim')).toBe(0);
  });

  test('only names that it has handlers for', async () => {
    const { startClient, runtime, storage } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const other = await web.durable('other', () => 1)();
    const worker = await startClient();
    worker.durable('f', () => 1);
    await runtime.advance(5000);
    expect(await other.status()).toBe('pending');
    for (const { names } of storage.paramsOf('claim')) expect(names).toEqual(['f']);
  });

  test('as soon as a handler is registered', async () => {
    const { startClient, runtime } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const handle = await web.durable('f', () => 1)();
    const worker = await startClient();
    worker.durable('f', () => 1);
    await runtime.advance(0);
    expect(await handle.status()).toBe('success');
  });

  test('within a hint, so that a group commit can hold both', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    worker.durable('f', () => 1);
    await runtime.advance(0);
    const before = storage.count('claim');
    storage.hint({ kind: 'work', names: ['other'] });
    expect(storage.count('claim')).toBe(before);
    storage.hint({ kind: 'work', names: ['other', 'f'] });
    expect(storage.count('claim')).toBe(before + 1);
    await runtime.advance(0);
    storage.hint({ kind: 'work', names: null });
    expect(storage.count('claim')).toBe(before + 2);
  });

  test('in the tick in which it settles, with the slots that this frees', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient({ workerConcurrency: 2 });
    const f = worker.durable('f', async () => 1);
    let ticks = 0;
    const claimsInSettleTick: number[] = [];
    const settle = storage.settle;
    storage.settle = (params) => {
      const tick = ++ticks;
      const before = storage.count('claim');
      queueMicrotask(() => {
        if (tick === ticks) claimsInSettleTick.push(storage.count('claim') - before);
      });
      return settle(params);
    };
    await f.enqueueMany([[], [], [], []]);
    await runtime.advance(0);
    expect(claimsInSettleTick).toEqual([1, 1]);
    expect(storage.paramsOf('claim').every(({ limit }) => limit === 2)).toBe(true);
  });

  test('one claim at a time, and again if something came up in the meantime', async () => {
    const { startClient, runtime, storage } = createFixture();
    const answered = createGate();
    storage.hold('claim', answered.opened);
    const worker = await startClient();
    worker.durable('f', () => 1);
    for (let i = 0; i < 10; i++) storage.hint({ kind: 'work', names: ['f'] });
    await runtime.advance(5000);
    expect(storage.count('claim')).toBe(1);
    answered.open();
    await runtime.advance(0);
    expect(storage.count('claim')).toBe(2);
  });

  test('no more often than there is work: an idle worker asks once a second', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const f = worker.durable('f', () => 1);
    await f.enqueueMany([[], [], []]);
    await runtime.advance(0);
    const before = storage.count('claim');
    await runtime.advance(10_000);
    expect(storage.count('claim') - before).toBe(10);
  });

  test('a job when it is due', async () => {
    const { startClient, runtime } = createFixture();
    const worker = await startClient();
    const starts: number[] = [];
    const f = worker.durable('f', () => void starts.push(runtime.now()));
    const now = runtime.now();
    await f({ delayMs: 300 });
    await f({ delayMs: 4321 });
    await runtime.advance(10_000);
    expect(starts).toEqual([now + 300, now + 4321]);
  });

  test('within a second where every hint is lost', async () => {
    const { startClient, runtime, storage } = createFixture();
    storage.isHinting = false;
    const worker = await startClient();
    const f = worker.durable('f', () => 1);
    await runtime.advance(0);
    const handle = await f();
    await runtime.advance(999);
    expect(await handle.status()).toBe('pending');
    await runtime.advance(1);
    expect(await handle.status()).toBe('success');
  });

  test('names in turn, so that none starves', async () => {
    const { startClient, createClient, runtime } = createFixture();
    const web = await startClient({ workerConcurrency: 0 });
    const names = ['a', 'b', 'c'];
    for (const name of names) {
      await web.durable(name, () => 1).enqueueMany(Array.from({ length: 4 }, () => []));
    }
    const worker = createClient({ workerConcurrency: 1 });
    const ran: string[] = [];
    for (const name of names) worker.durable(name, () => void ran.push(name));
    await worker.start();
    await runtime.advance(0);
    expect(ran).toHaveLength(12);
    for (let turn = 0; turn < 12; turn += 3) expect(ran.slice(turn, turn + 3).toSorted()).toEqual(names);
  });

  test('no more while too many outcomes wait to be stored', async () => {
    const { startClient, runtime, storage } = createFixture();
    const stored = createGate();
    storage.hold('settle', stored.opened);
    const worker = await startClient({ workerConcurrency: 2 });
    const f = worker.durable('f', () => 1);
    await f.enqueueMany(Array.from({ length: 100 }, () => []));
    await runtime.advance(0);
    expect(await worker.counts()).toMatchObject([{ running: 20, pending: 80 }]);
    storage.heal('settle');
    stored.open();
    await runtime.advance(0);
    expect(await worker.counts()).toMatchObject([{ success: 100 }]);
  });
});

describe('while the storage rejects', () => {
  const outage = new ReseolioError('storage_unavailable', 'gone for now');

  test('claims are repeated with backoff, and work goes on afterwards', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const f = worker.durable('f', () => 1);
    await runtime.advance(0);
    const errors: unknown[] = [];
    worker.on('storage:error', (event) => errors.push(event));
    storage.fail('claim', outage);
    const before = storage.count('claim');
    const handle = await f();
    await runtime.advance(3000);
    const attempts = storage.count('claim') - before;
    // 100, 200, 400, 800 and 1600 ms, each give or take a fifth: the sixth may or may not have come.
    expect(attempts).toBeGreaterThanOrEqual(5);
    expect(attempts).toBeLessThanOrEqual(6);
    expect(errors).toEqual(
      Array.from({ length: attempts }, () => ({ operation: 'claim', error: outage, isFinal: false })),
    );
    for (let i = 0; i < 10; i++) storage.hint({ kind: 'work', names: null });
    expect(storage.count('claim') - before).toBe(attempts);
    storage.heal('claim');
    await runtime.advance(6000);
    expect(await handle.status()).toBe('success');
  });

  test('a claim whose outcome is unknown is repeated as it was', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient({ leaseMs: 3000 });
    const f = worker.durable('f', () => 1);
    await runtime.advance(0);
    const before = storage.count('claim');
    storage.fail('claim', outage, true);
    const handle = await f();
    await runtime.advance(50);
    storage.heal('claim');
    await runtime.advance(100);
    const [first, second] = storage.paramsOf('claim').slice(before);
    expect(second).toEqual(first);
    await runtime.advance(6000);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 2, history: [{ outcome: 'lost' }] });
  });

  test('outcomes are repeated until they are stored, and told of once', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const successes: string[] = [];
    worker.on('job:success', ({ jobId }) => successes.push(jobId));
    const f = worker.durable('f', () => 'kept');
    storage.fail('settle', outage);
    const handles = await f.enqueueMany([[], [], []]);
    await runtime.advance(60_000);
    expect(await worker.counts()).toMatchObject([{ running: 3 }]);
    expect(storage.count('settle')).toBeGreaterThan(10);
    expect(storage.count('settle')).toBeLessThan(30);
    storage.heal('settle');
    await runtime.advance(6000);
    expect(await handles[2]?.details()).toMatchObject({ status: 'success', attempt: 1, result: 'kept' });
    expect(successes.toSorted()).toEqual(handles.map(({ jobId }) => jobId).toSorted());
  });

  test('an outcome that was stored although the call rejected is told of once', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const events: string[] = [];
    worker.on('job:success', () => events.push('success')).on('job:error', () => events.push('error'));
    const f = worker.durable('f', () => 1);
    storage.fail('settle', outage, true);
    const handle = await f();
    await runtime.advance(50);
    expect(await handle.status()).toBe('success');
    expect(events).toEqual([]);
    storage.heal('settle');
    await runtime.advance(1000);
    expect(events).toEqual(['success']);
  });
});

describe('when the storage has failed for good', () => {
  const failure = new ReseolioError('storage_failed', 'the disk is gone');

  test('a worker claims no more, tells of it once, and stops without hanging', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const f = worker.durable('f', () => 1);
    const events: unknown[] = [];
    worker.on('storage:error', (event) => events.push(event));
    await f({ delayMs: 100 });
    for (const method of ['claim', 'settle', 'extendLeases', 'reclaimExpired', 'prune', 'getJobs'] as const) {
      storage.fail(method, failure);
    }
    await runtime.advance(2000);
    const claims = storage.count('claim');
    await runtime.advance(3_600_000);
    expect(storage.count('claim')).toBe(claims);
    expect(events).toEqual([{ operation: expect.any(String), error: failure, isFinal: true }]);
    await worker.stop();
  });

  test('a hint of it is enough, and handlers that run are told', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient({ shutdownGraceMs: 500 });
    const { signals, f } = registerStuck(worker);
    const events: unknown[] = [];
    worker.on('storage:error', (event) => events.push(event));
    await f();
    await runtime.advance(0);
    storage.hint({ kind: 'failed', error: failure });
    storage.hint({ kind: 'failed', error: failure });
    expect(signals[0]?.reason).toMatchObject({ code: 'lease_lost' });
    expect(events).toEqual([{ operation: 'watch', error: failure, isFinal: true }]);
    const claims = storage.count('claim');
    await runtime.advance(60_000);
    expect(storage.count('claim')).toBe(claims);
    const stopping = worker.stop();
    await runtime.advance(500);
    await stopping;
  });

  test('outcomes are given up', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient();
    const f = worker.durable('f', () => 1);
    storage.fail('settle', failure);
    await f();
    await runtime.advance(10_000);
    expect(storage.count('settle')).toBe(1);
    await worker.stop();
  });
});

function registerStuck(worker: Reseolio) {
  const signals: AbortSignal[] = [];
  const f = worker.durable('stuck', async () => {
    signals.push(currentJob().signal);
    await new Promise(() => {});
  });
  return { signals, f };
}
