import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import type { ReseolioEvents } from '../../src/client/client-events.ts';
import { resolveClientOptions } from '../../src/client/client-options.ts';
import { Engine } from '../../src/client/engine.ts';
import { JobIdGenerator } from '../../src/core/job-id.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { EventHub } from '../../src/worker/event-hub.ts';
import { HandlerRegistry } from '../../src/worker/handler-registry.ts';
import { createGate, withCode } from './client-fixture.ts';
import { FaultyStorage } from './faulty-storage.ts';

function startEngine(ownsStorage: boolean) {
  const runtime = new DrivenRuntime();
  const storage = new FaultyStorage(new MemoryStorage({ runtime }));
  const events = new EventHub<ReseolioEvents>();
  const engine = new Engine({
    storage,
    ownsStorage,
    options: resolveClientOptions({ storage, runtime }),
    registry: new HandlerRegistry(),
    events,
    ids: new JobIdGenerator(runtime),
    workerId: 'host:1:00000000',
  });
  engine.start();
  return { runtime, storage, events, engine };
}

describe('the engine', () => {
  test.each([true, false])('closes the storage when it stops only if it owns it: %s', async (ownsStorage) => {
    const { engine, storage } = startEngine(ownsStorage);
    await engine.stop();
    expect(storage.isClosed).toBe(ownsStorage);
  });

  test('tells of no storage error that comes of its own stop', async () => {
    const { engine, storage, events, runtime } = startEngine(true);
    const told: unknown[] = [];
    events.on('storage:error', (event) => told.push(event));
    const answered = createGate();
    storage.hold('getJobs', answered.opened);
    const waiting = engine.waiter.wait('01890000-0000-7000-8000-000000000000', null);
    const rejected = expect(waiting).rejects.toMatchObject(withCode('stopped'));
    await runtime.advance(0);
    await engine.stop();
    await rejected;
    answered.open();
    await runtime.advance(0);
    expect(told).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });
});
