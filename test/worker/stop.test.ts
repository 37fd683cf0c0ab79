import { describe, expect, test } from 'vitest';
import { currentJob, type Reseolio } from '../../src/index.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';

const never = new Promise<void>(() => {});

function registerGated(client: Reseolio, name = 'f') {
  const gate = createGate();
  const signals: AbortSignal[] = [];
  const f = client.durable(name, async () => {
    signals.push(currentJob().signal);
    await gate.opened;
    return 'done';
  });
  return { f, gate, signals };
}

async function startReader(fixture: ReturnType<typeof createFixture>) {
  return fixture.startClient({ workerConcurrency: 0 });
}

describe('stop()', () => {
  test('lets running handlers end in their grace time, and stores what they return', async () => {
    const fixture = createFixture();
    const { startClient, runtime } = fixture;
    const reader = await startReader(fixture);
    const worker = await startClient({ shutdownGraceMs: 5000 });
    const { f, gate, signals } = registerGated(worker);
    const handle = await f();
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(3000);
    gate.open();
    await stopping;
    expect(signals[0]?.aborted).toBe(false);
    expect(await reader.getJob(handle.jobId)).toMatchObject({ status: 'success', attempt: 1, result: 'done' });
  });

  test('releases what still runs after the grace time, without losing an attempt', async () => {
    const fixture = createFixture();
    const { startClient, runtime } = fixture;
    const worker = await startClient({ shutdownGraceMs: 5000 });
    const { f, gate, signals } = registerGated(worker);
    const handle = await f({ maxAttempts: 1 });
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(4999);
    expect(signals[0]?.aborted).toBe(false);
    await runtime.advance(1);
    await stopping;
    expect(signals[0]?.reason).toMatchObject({ code: 'shutting_down' });
    const next = await startClient();
    expect(await next.getJob(handle.jobId)).toMatchObject({ status: 'pending', attempt: 0, history: [] });
    const second = registerGated(next);
    second.gate.open();
    await runtime.advance(0);
    expect(await next.getJob(handle.jobId)).toMatchObject({ status: 'success', attempt: 1 });
    gate.open();
  });

  test('ignores what a released handler returns or throws later', async () => {
    const fixture = createFixture();
    const { startClient, runtime, storage } = fixture;
    const worker = await startClient({ shutdownGraceMs: 0 });
    const gate = createGate();
    const f = worker.durable('f', async (fails: boolean) => {
      await gate.opened;
      if (fails) throw new Error('too late');
    });
    await f.enqueueMany([[true], [false]]);
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(0);
    await stopping;
    const settles = storage.count('settle');
    gate.open();
    await runtime.advance(0);
    expect(storage.count('settle')).toBe(settles);
    expect((await storage.counts())[0]).toMatchObject({ pending: 2 });
  });

  test('claims nothing more', async () => {
    const fixture = createFixture();
    const { startClient, runtime, storage } = fixture;
    const reader = await startReader(fixture);
    const worker = await startClient({ workerConcurrency: 1 });
    const { f, gate } = registerGated(worker);
    await f.enqueueMany([[], [], []]);
    await runtime.advance(0);
    const claims = storage.count('claim');
    const stopping = worker.stop();
    storage.hint({ kind: 'work', names: null });
    gate.open();
    await runtime.advance(2000);
    await stopping;
    expect(storage.count('claim')).toBe(claims);
    expect(await reader.counts()).toMatchObject([{ success: 1, pending: 2, running: 0 }]);
  });

  test('releases jobs that a claim under way comes back with', async () => {
    const fixture = createFixture();
    const { startClient, runtime, storage } = fixture;
    const reader = await startReader(fixture);
    const handle = await reader.durable('f', () => 1)();
    const answered = createGate();
    storage.hold('claim', answered.opened);
    const worker = await startClient();
    const ran: unknown[] = [];
    worker.durable('f', () => ran.push(1));
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(500);
    answered.open();
    await stopping;
    expect(ran).toEqual([]);
    expect(storage.paramsOf('settle').flatMap(({ settlements }) => settlements)).toMatchObject([
      { outcome: { kind: 'release' }, lease: { jobId: handle.jobId } },
    ]);
    expect(await handle.details()).toMatchObject({ status: 'pending', attempt: 0 });
  });

  test('keeps leases through a grace time that is longer than they are', async () => {
    const fixture = createFixture();
    const { startClient, runtime } = fixture;
    const reader = await startReader(fixture);
    const worker = await startClient({ shutdownGraceMs: 20_000, leaseMs: 1000 });
    const { f, gate } = registerGated(worker);
    const handle = await f();
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(15_000);
    gate.open();
    await stopping;
    expect(await reader.getJob(handle.jobId)).toMatchObject({ status: 'success', attempt: 1, history: [] });
  });

  test('waits for outcomes that the storage at first refuses', async () => {
    const fixture = createFixture();
    const { startClient, runtime, storage } = fixture;
    const reader = await startReader(fixture);
    const worker = await startClient();
    storage.fail('settle', new Error('gone for now'));
    const handle = await worker.durable('f', () => 'kept')();
    await runtime.advance(10);
    const stopping = worker.stop();
    storage.heal('settle');
    await runtime.advance(2000);
    await stopping;
    expect(await reader.getJob(handle.jobId)).toMatchObject({ status: 'success', result: 'kept' });
  });

  test.each(['claim', 'settle', 'reclaimExpired', 'extendLeases', 'close'] as const)(
    'does not hang on a storage whose %s never returns',
    async (method) => {
      const { startClient, runtime, storage } = createFixture();
      storage.hold(method, never);
      const worker = await startClient({ shutdownGraceMs: 2000, leaseMs: 1000 });
      const f = worker.durable('f', () => 1);
      const g = worker.durable('g', () => never);
      await f();
      await g();
      await runtime.advance(500);
      const stopping = worker.stop();
      await runtime.advance(6000);
      await stopping;
      expect(runtime.pendingTimers).toBe(0);
    },
  );

  test('leaves no timer while released handlers still run', async () => {
    const { startClient, runtime } = createFixture();
    const worker = await startClient({ shutdownGraceMs: 100 });
    await worker.durable('g', () => never).enqueueMany(Array.from({ length: 10 }, () => []));
    await runtime.advance(0);
    const stopping = worker.stop();
    await runtime.advance(100);
    await stopping;
    expect(runtime.pendingTimers).toBe(0);
  });

  test('from within a handler releases that handler', async () => {
    const fixture = createFixture();
    const { startClient, runtime } = fixture;
    const reader = await startReader(fixture);
    const worker = await startClient({ shutdownGraceMs: 1000 });
    const handle = await worker.durable('f', async () => worker.stop())();
    await runtime.advance(1000);
    await worker.stop();
    expect(await reader.getJob(handle.jobId)).toMatchObject({ status: 'pending', attempt: 0 });
  });
});
