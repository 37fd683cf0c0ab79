import { expect, onTestFinished } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import type { ReseolioErrorCode } from '../../src/core/errors.ts';
import { Reseolio, type ReseolioOptions } from '../../src/index.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { FaultyStorage } from './faulty-storage.ts';

/** One storage and one clock, and clients on them that are stopped when the test ends. */
export interface ClientFixture {
  readonly runtime: DrivenRuntime;
  readonly storage: FaultyStorage;
  createClient(options?: ReseolioOptions): Reseolio;
  startClient(options?: ReseolioOptions): Promise<Reseolio>;
}

/** Longer than any stop takes with the options that tests use. */
const STOP_MS = 120_000;

export function createFixture(): ClientFixture {
  const runtime = new DrivenRuntime();
  const storage = new FaultyStorage(new MemoryStorage({ runtime }));
  const clients: Reseolio[] = [];
  onTestFinished(async () => {
    const stopped = Promise.all(clients.map((client) => client.stop()));
    await runtime.advance(STOP_MS);
    await stopped;
    expect(runtime.pendingTimers).toBe(0);
  });

  function createClient(options: ReseolioOptions = {}): Reseolio {
    const client = new Reseolio({ storage, runtime, ...options });
    clients.push(client);
    return client;
  }

  async function startClient(options?: ReseolioOptions): Promise<Reseolio> {
    const client = createClient(options);
    await client.start();
    return client;
  }

  return { runtime, storage, createClient, startClient };
}

/** What `expect(…).rejects.toMatchObject` takes to find an error of this code. */
export function withCode(code: ReseolioErrorCode): { code: ReseolioErrorCode } {
  return { code };
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Something that handlers wait for until the test lets them go on. */
export function createGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
