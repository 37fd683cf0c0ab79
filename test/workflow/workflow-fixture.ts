import type { Storage } from '../../src/core/storage.ts';
import type { Reseolio, ReseolioOptions } from '../../src/index.ts';
import type { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import type { ClientFixture } from '../client/client-fixture.ts';
import { MortalStorage } from './mortal-storage.ts';

/** Options of jobs whose retries take no time worth waiting for. */
export const FAST = { initialDelayMs: 1, maxDelayMs: 1, jitter: 0 } as const;

export const ONCE = { maxAttempts: 1 } as const;

const LEASE_MS = 300;

/** Longer than it takes until the jobs of a process that died are run again. */
export const LOST_MS = 3 * LEASE_MS;

/** Work that takes `ms`, and of which no job remembers anything. */
export function work(runtime: DrivenRuntime, ms: number): Promise<void> {
  return new Promise((resolve) => runtime.setTimer(ms, resolve));
}

/** A client in a process of its own, as it were. */
export interface ClientProcess {
  readonly client: Reseolio;
  readonly storage: Storage;
  /** From here on nothing that it does reaches the storage, and it hears of nothing. */
  kill(): void;
}

export async function startProcess(
  { storage, startClient }: ClientFixture,
  options: ReseolioOptions = {},
): Promise<ClientProcess> {
  const own = new MortalStorage(storage);
  const asStorage = own as unknown as Storage;
  const client = await startClient({ leaseMs: LEASE_MS, ...options, storage: asStorage });
  return { client, storage: asStorage, kill: () => own.kill() };
}

/** How many at once do what passes through it. */
export class Gauge {
  most = 0;
  #now = 0;

  async during<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#now++;
    this.most = Math.max(this.most, this.#now);
    try {
      return await run();
    } finally {
      this.#now--;
    }
  }
}
