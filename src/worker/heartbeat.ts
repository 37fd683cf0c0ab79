import { LIMITS } from '../core/options.ts';
import type { Runtime, Timer } from '../core/runtime.ts';
import type { LeaseStatus, Storage } from '../core/storage.ts';
import type { Attempt } from './attempt.ts';
import type { StorageErrors } from './storage-errors.ts';

/** Beats in the time of one lease. */
const BEATS_PER_LEASE = 3;

export interface HeartbeatParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly errors: StorageErrors;
  readonly leaseMs: number;
  /** Every attempt whose lease is to be kept: those that run, and those whose outcome is not stored yet. */
  readonly listHeld: () => Attempt[];
  readonly onLost: (attempt: Attempt) => void;
}

/**
 * Extends all leases of a worker, three times in the time of one. A lease that the storage could not be asked about
 * for longer than that counts as lost. Beats are counted, not times compared: a clock that jumps loses no lease.
 */
export class Heartbeat {
  readonly #params: HeartbeatParams;
  #beat = 0;
  #timer: Timer | null = null;
  #isExtending = false;
  #inFlight: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(params: HeartbeatParams) {
    this.#params = params;
  }

  /** The number of the last beat. */
  get beat(): number {
    return this.#beat;
  }

  /** Resolves when the storage has answered the last beat. */
  get inFlight(): Promise<void> {
    return this.#inFlight;
  }

  start(): void {
    const { runtime, leaseMs } = this.#params;
    this.#timer = runtime.setTimer(leaseMs / BEATS_PER_LEASE, () => {
      this.start();
      this.#tick();
    });
  }

  /** Extends some leases between two beats, to hear at once whether their jobs are asked to stop. */
  check(attempts: readonly Attempt[]): void {
    // Where it fails, the next beat asks again.
    this.#extendBatch(attempts).catch(() => {});
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tick(): void {
    this.#beat++;
    const held = this.#params.listHeld();
    for (const attempt of held) {
      if (this.#beat - attempt.confirmedBeat > BEATS_PER_LEASE) this.#lose(attempt);
    }
    if (!this.#isExtending) this.#inFlight = this.#extend(held.filter((attempt) => !attempt.isLeaseLost));
  }

  async #extend(attempts: readonly Attempt[]): Promise<void> {
    this.#isExtending = true;
    try {
      for (let start = 0; start < attempts.length; start += LIMITS.batchJobs) {
        await this.#extendBatch(attempts.slice(start, start + LIMITS.batchJobs));
      }
    } catch (error) {
      if (!this.#isStopped) this.#params.errors.report('extend', error);
    } finally {
      this.#isExtending = false;
    }
  }

  async #extendBatch(attempts: readonly Attempt[]): Promise<void> {
    const { storage, leaseMs } = this.#params;
    const beat = this.#beat;
    const leases = attempts.map(({ lease }) => lease);
    const statuses: LeaseStatus[] = await storage.extendLeases({ leases, leaseMs });
    for (let i = 0; i < attempts.length; i++) {
      const attempt = attempts[i] as Attempt;
      const status = statuses[i];
      if (status === 'lease_lost') {
        // One that has ended by now may have been settled in the meantime: the answer to that settle tells.
        if (attempt.endedAt === null) this.#lose(attempt);
        continue;
      }
      attempt.confirmedBeat = beat;
      if (status === 'cancel_requested') attempt.requestCancel();
    }
  }

  #lose(attempt: Attempt): void {
    this.#params.onLost(attempt);
  }
}
