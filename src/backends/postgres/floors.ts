import type { Runtime } from '../../core/runtime.ts';

/** A place in the order of a lane. */
export interface Position {
  readonly runAt: number;
  readonly seq: number;
}

const BEGINNING: Position = { runAt: -1, seq: 0 };

/** How often claims look at whole lanes: for jobs whose commit took longer than the horizon is away. */
const RESCAN_INTERVAL_MS = 1000;
/** A look at whole lanes takes long where nothing can be vacuumed; it may take this share of the time. */
const MAX_RESCAN_SHARE = 0.02;
/** However long the answer took: that may have been the network. */
const MAX_RESCAN_INTERVAL_MS = 30_000;

export interface ClaimObservation {
  readonly lanes: readonly number[];
  /** The last job that was taken of each lane of which any was. */
  readonly lastTaken: ReadonlyMap<number, Position>;
  /** Due jobs may be left, since the limit was reached. */
  readonly isFull: boolean;
  /** What was due before this and is not marked as late had been committed, unless its commit took very long. */
  readonly horizon: number;
}

/**
 * Where claims begin to search in each lane: behind the jobs that were taken. What was taken is dead in the index until
 * it is vacuumed, which takes as long as the oldest transaction anywhere in the database; a search from the beginning
 * steps over all of it. ADR 0006 has the argument why nothing is passed over.
 */
export class Floors {
  readonly #runtime: Pick<Runtime, 'monotonicNow'>;
  readonly #floors = new Map<number, Position>();
  #rescanAt = 0;
  /** Any earlier would take too large a share of the time. */
  #earliestRescanAt = 0;
  #rescanStartedAt: number | null = null;

  constructor(runtime: Pick<Runtime, 'monotonicNow'>) {
    this.#runtime = runtime;
  }

  /** Where the next claim begins in each of `lanes`. */
  begin(lanes: readonly number[]): Position[] {
    const now = this.#runtime.monotonicNow();
    if (now >= this.#rescanAt) {
      this.#floors.clear();
      this.#rescanAt = now + RESCAN_INTERVAL_MS;
      this.#rescanStartedAt = now;
    }
    return lanes.map((lane) => this.#floors.get(lane) ?? BEGINNING);
  }

  /** The next claim looks at whole lanes, as soon as that may be. */
  forget(): void {
    this.#rescanAt = this.#earliestRescanAt;
    this.#rescanStartedAt = null;
  }

  /** What the answer of a claim tells of where the next one can begin. */
  observe({ lanes, lastTaken, isFull, horizon }: ClaimObservation): void {
    this.#timeRescan();
    const atHorizon: Position = { runAt: horizon, seq: 0 };
    for (const lane of lanes) {
      const last = lastTaken.get(lane);
      if (isFull && last === undefined) continue;
      const reached = isFull && last !== undefined && isBefore(last, atHorizon) ? last : atHorizon;
      const floor = this.#floors.get(lane);
      if (floor === undefined || isBefore(floor, reached)) this.#floors.set(lane, reached);
    }
  }

  #timeRescan(): void {
    if (this.#rescanStartedAt === null) return;
    const now = this.#runtime.monotonicNow();
    const pauseMs = Math.min((now - this.#rescanStartedAt) / MAX_RESCAN_SHARE, MAX_RESCAN_INTERVAL_MS);
    this.#earliestRescanAt = now + pauseMs;
    this.#rescanAt = now + Math.max(RESCAN_INTERVAL_MS, pauseMs);
    this.#rescanStartedAt = null;
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.runAt < b.runAt || (a.runAt === b.runAt && a.seq < b.seq);
}
