import { describe, expect, test } from 'vitest';
import { currentJob, type Reseolio, ReseolioError, type Runtime } from '../../src/index.ts';
import type { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { createFixture, createGate } from '../client/client-fixture.ts';
import { FaultyStorage } from '../client/faulty-storage.ts';

const LEASE_MS = 3000;

/** A process whose event loop is blocked: no timer of it fires. */
function withoutTimers(runtime: DrivenRuntime): Runtime {
  const { now, monotonicNow, random, fillRandom, setImmediate, afterPromises } = runtime;
  return { now, monotonicNow, random, fillRandom, setImmediate, afterPromises, setTimer: () => ({ cancel: () => {} }) };
}

/** A process whose event loop can be blocked: its timers then fire all at once when it goes on. */
function createBlockable(runtime: DrivenRuntime) {
  const { now, monotonicNow, random, fillRandom, setImmediate, afterPromises } = runtime;
  const missed: (() => void)[] = [];
  let isBlocked = false;
  const blockable: Runtime = {
    now,
    monotonicNow,
    random,
    fillRandom,
    setImmediate,
    afterPromises,
    setTimer: (delayMs, callback) => runtime.setTimer(delayMs, () => (isBlocked ? missed.push(callback) : callback())),
  };
  return {
    blockable,
    block: () => {
      isBlocked = true;
    },
    goOn: () => {
      isBlocked = false;
      for (const callback of missed.splice(0)) callback();
    },
  };
}

/** A handler of `name` that returns `result` when its gate is opened. */
function registerGated(client: Reseolio, name: string, result: string) {
  const gate = createGate();
  const signals: AbortSignal[] = [];
  const f = client.durable(
    name,
    async () => {
      signals.push(currentJob().signal);
      await gate.opened;
      return result;
    },
    { timeoutMs: 3_600_000 },
  );
  return { f, gate, signals };
}

describe('leases', () => {
  test('are extended for as long as handlers run, all in one call, three times a lease', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient({ leaseMs: LEASE_MS });
    await startClient({ leaseMs: LEASE_MS });
    const { f, gate } = registerGated(worker, 'f', 'done');
    const handles = await f.enqueueMany([[], [], []]);
    await runtime.advance(10 * LEASE_MS);
    const calls = storage.paramsOf('extendLeases').filter(({ leases }) => leases.length > 0);
    expect(calls).toHaveLength(30);
    expect(calls.every(({ leases, leaseMs }) => leases.length === 3 && leaseMs === LEASE_MS)).toBe(true);
    gate.open();
    await runtime.advance(0);
    expect(await handles[0]?.details()).toMatchObject({ status: 'success', attempt: 1, history: [] });
    await runtime.advance(LEASE_MS);
    expect(storage.paramsOf('extendLeases').filter(({ leases }) => leases.length > 0)).toHaveLength(30);
  });

  test('are extended while an outcome waits to be stored', async () => {
    const { startClient, runtime, storage } = createFixture();
    const worker = await startClient({ leaseMs: LEASE_MS });
    const f = worker.durable('f', () => 1);
    storage.fail('settle', new ReseolioError('storage_full', 'no room'));
    const handle = await f();
    await runtime.advance(5 * LEASE_MS);
    storage.heal('settle');
    await runtime.advance(6000);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 1, history: [] });
  });

  test('a process that died is replaced within one lease and a bit', async () => {
    const { startClient, createClient, runtime } = createFixture();
    const dying = createClient({ leaseMs: LEASE_MS, workerConcurrency: 1, runtime: withoutTimers(runtime) });
    await dying.start();
    const stuck = registerGated(dying, 'f', 'never');
    const worker = await startClient({ leaseMs: LEASE_MS });
    const handle = await stuck.f();
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'running', attempt: 1 });
    worker.durable('f', () => 'second');
    await runtime.advance(LEASE_MS * 1.2);
    expect(await handle.details()).toMatchObject({
      status: 'success',
      attempt: 2,
      result: 'second',
      history: [{ attempt: 1, outcome: 'lost', error: { name: 'AttemptLostError' } }],
    });
    stuck.gate.open();
  });

  test('a worker that was blocked longer than its lease settles nothing', async () => {
    const { startClient, createClient, runtime } = createFixture();
    const blocked = createClient({ leaseMs: LEASE_MS, workerConcurrency: 1, runtime: withoutTimers(runtime) });
    await blocked.start();
    const first = registerGated(blocked, 'f', 'first');
    const events: string[] = [];
    blocked.on('job:success', () => events.push('blocked: success'));
    const handle = await first.f();
    await runtime.advance(0);
    const other = await startClient({ leaseMs: LEASE_MS });
    const second = registerGated(other, 'f', 'second');
    other.on('job:success', () => events.push('other: success'));
    await runtime.advance(2 * LEASE_MS);
    expect(second.signals).toHaveLength(1);
    first.gate.open();
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'running', attempt: 2 });
    second.gate.open();
    await runtime.advance(0);
    expect(await handle.result()).toBe('second');
    expect(events).toEqual(['other: success']);
  });

  test('a worker that was blocked while nobody else was there keeps its attempts', async () => {
    const { startClient, runtime } = createFixture();
    const { blockable, block, goOn } = createBlockable(runtime);
    const worker = await startClient({ leaseMs: LEASE_MS, runtime: blockable });
    const { f, gate, signals } = registerGated(worker, 'f', 'done');
    const handle = await f();
    // From here the next look for expired leases is due before the next heartbeat.
    await runtime.advance(LEASE_MS * 0.4);
    block();
    await runtime.advance(5 * LEASE_MS);
    goOn();
    await runtime.advance(LEASE_MS);
    expect(signals[0]?.aborted).toBe(false);
    gate.open();
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 1, history: [] });
  });

  test('a late success does not overturn a death', async () => {
    const { startClient, createClient, runtime } = createFixture();
    const blocked = createClient({ leaseMs: LEASE_MS, workerConcurrency: 1, runtime: withoutTimers(runtime) });
    await blocked.start();
    const { f, gate } = registerGated(blocked, 'f', 'late');
    const handle = await f({ maxAttempts: 1 });
    await runtime.advance(0);
    const other = await startClient({ leaseMs: LEASE_MS });
    const events: unknown[] = [];
    other.on('job:error', (event) => events.push(event)).on('job:dead', (event) => events.push(event));
    await runtime.advance(2 * LEASE_MS);
    gate.open();
    await runtime.advance(0);
    await expect(handle.result()).rejects.toMatchObject({ code: 'job_failed', errorName: 'AttemptLostError' });
    const lost = { jobId: handle.jobId, name: 'f', attempt: 1, error: { name: 'AttemptLostError' } };
    expect(events).toMatchObject([{ ...lost, retryInMs: null }, lost]);
  });
});

describe('a lease that is lost while its handler runs', () => {
  /** A worker whose way to the storage can be cut, beside one whose cannot. */
  async function startCut() {
    const fixture = createFixture();
    const line = new FaultyStorage(fixture.storage);
    const worker = await fixture.startClient({ storage: line, leaseMs: LEASE_MS, workerConcurrency: 1 });
    const gated = registerGated(worker, 'f', 'first');
    const handle = await gated.f();
    await fixture.runtime.advance(0);
    return { ...fixture, line, worker, handle, ...gated };
  }

  const outage = new ReseolioError('storage_unavailable', 'gone for now');

  test('aborts the signal once extensions have failed for longer than a lease', async () => {
    const { line, runtime, signals } = await startCut();
    line.fail('extendLeases', outage);
    await runtime.advance(LEASE_MS);
    expect(signals[0]?.aborted).toBe(false);
    await runtime.advance(LEASE_MS / 3 + 1);
    expect(signals[0]?.reason).toMatchObject({ code: 'lease_lost' });
  });

  test('aborts the signal where an extension never returns', async () => {
    const { line, runtime, signals } = await startCut();
    const answered = createGate();
    line.hold('extendLeases', answered.opened);
    await runtime.advance((LEASE_MS * 4) / 3 + 1);
    expect(line.count('extendLeases')).toBe(1);
    expect(signals[0]?.reason).toMatchObject({ code: 'lease_lost' });
    answered.open();
  });

  test('aborts nothing after a failure that passes in time', async () => {
    const { line, runtime, signals, gate, handle } = await startCut();
    line.fail('extendLeases', outage);
    await runtime.advance(LEASE_MS * 0.7);
    line.heal('extendLeases');
    await runtime.advance(10 * LEASE_MS);
    expect(signals[0]?.aborted).toBe(false);
    gate.open();
    await runtime.advance(0);
    expect(await handle.details()).toMatchObject({ status: 'success', attempt: 1 });
  });

  test('aborts the signal when the storage says so, keeps the slot until the handler ends, drops the outcome', async () => {
    const { line, runtime, signals, gate, handle, worker, startClient } = await startCut();
    const answered = createGate();
    line.hold('extendLeases', answered.opened);
    line.fail('reclaimExpired', outage);
    const other = await startClient({ leaseMs: LEASE_MS });
    other.durable('f', () => 'second');
    await runtime.advance(LEASE_MS * 1.2);
    expect(await handle.details()).toMatchObject({ status: 'success', result: 'second' });
    expect(signals[0]?.aborted).toBe(false);
    answered.open();
    await runtime.advance(0);
    expect(signals[0]?.reason).toMatchObject({ code: 'lease_lost' });
    const next = await worker.durable('next', () => 'next')();
    await runtime.advance(0);
    expect(await next.status()).toBe('pending');
    gate.open();
    await runtime.advance(0);
    expect(line.count('settle')).toBe(1);
    expect(line.paramsOf('settle')[0]?.settlements.map(({ lease }) => lease.jobId)).toEqual([next.jobId]);
    expect(await handle.result()).toBe('second');
  });

  test('frees the slot at the time-out of a handler that does not heed its signal', async () => {
    const { runtime, line, worker, handle, startClient } = await startCut();
    await startClient({ leaseMs: LEASE_MS });
    line.fail('extendLeases', outage);
    line.fail('reclaimExpired', outage);
    const next = await worker.durable('next', () => 'next')();
    await runtime.advance(2 * LEASE_MS);
    expect(await handle.cancel()).toBe(true);
    await runtime.advance(3_599_000 - 2 * LEASE_MS);
    expect(await next.status()).toBe('pending');
    await runtime.advance(1000);
    expect(await next.status()).toBe('success');
  });
});
