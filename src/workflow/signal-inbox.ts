import type { Payload } from '../core/payload.ts';
import type { Storage } from '../core/storage.ts';

const PAGE = 1000;

export interface TakenSignal {
  /** Its place among all signals of the job. */
  readonly index: number;
  readonly payload: Payload | null;
}

/** The signals of one job, as far as they have been read. Each is taken once, those of a name in their order. */
export class SignalInbox {
  readonly #storage: Pick<Storage, 'getSignals'>;
  readonly #jobId: string;
  /** What has not been taken, by name, the oldest first. */
  readonly #untaken = new Map<string, TakenSignal[]>();
  readonly #taken: ReadonlySet<number>;
  #seen = 0;
  #reading: Promise<void> | null = null;

  /** `taken`: the indexes of those that were taken in earlier runs. */
  constructor(storage: Pick<Storage, 'getSignals'>, jobId: string, taken: ReadonlySet<number>) {
    this.#storage = storage;
    this.#jobId = jobId;
    this.#taken = taken;
  }

  /** How many signals have been read. */
  get seen(): number {
    return this.#seen;
  }

  /** The first signal of `name` that has been read and not taken. */
  take(name: string): TakenSignal | null {
    return this.#untaken.get(name)?.shift() ?? null;
  }

  /** Reads those that had come when it was called, and have not been read. */
  async read(): Promise<void> {
    // What comes while one is under way may be missed by it.
    if (this.#reading !== null) await this.#reading;
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const page = await this.#storage.getSignals({ jobId: this.#jobId, from: this.#seen, limit: PAGE });
      for (const { name, payload } of page) {
        const index = this.#seen++;
        if (this.#taken.has(index)) continue;
        const ofName = this.#untaken.get(name);
        if (ofName === undefined) this.#untaken.set(name, [{ index, payload }]);
        else ofName.push({ index, payload });
      }
      if (page.length === 0) return;
    }
  }
}
