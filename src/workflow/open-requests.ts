import type { Suspension } from '../core/storage.ts';
import type { Request } from './request.ts';

/** The requests of a handler that have not been answered, by position. */
export class OpenRequests {
  readonly #requests = new Map<number, Request>();

  add(request: Request): void {
    this.#requests.set(request.position, request);
  }

  get(position: number): Request | null {
    return this.#requests.get(position) ?? null;
  }

  get isEmpty(): boolean {
    return this.#requests.size === 0;
  }

  /** Takes out a request that is being answered. */
  remove(request: Request): void {
    request.letGo();
    request.hasEnded = true;
    this.#requests.delete(request.position);
  }

  /** Those that wait for something that may take long. */
  get waiting(): Request[] {
    return [...this.#requests.values()].filter(({ isWaiting }) => isWaiting);
  }

  /** Whether what one of them waits for is there, is being found out. */
  get isLooking(): boolean {
    return this.waiting.some(({ isLooking }) => isLooking);
  }

  rejectWaiting(reason: unknown): void {
    for (const request of this.waiting) {
      this.remove(request);
      request.reject(reason);
    }
  }

  /** `reason` null: they are never answered. */
  close(reason: unknown): void {
    for (const request of this.#requests.values()) {
      request.letGo();
      if (reason !== null) request.reject(reason);
    }
    this.#requests.clear();
  }

  /** What all of them together wait for; null if none does, or what one waits for is there. */
  suspension(signalsSeen: number): Suspension | null {
    const { waiting } = this;
    // Those that have been read count as seen, though the read may not have come to its end.
    for (const request of waiting) request.take?.();
    if (waiting.length === 0 || waiting.some(({ isWaiting }) => !isWaiting)) return null;
    const awaits = waiting.filter(({ operation }) => operation === 'result').map(({ name }) => name);
    const waitsForSignal = waiting.some(({ operation }) => operation === 'signal');
    return {
      kind: 'suspend',
      wakeAt: this.#earliestWakeAt(),
      awaits: [...new Set(awaits)],
      signalsSeen: waitsForSignal ? signalsSeen : null,
    };
  }

  /**
   * How long those that wait are to be kept in memory: a while for what may come at any time; not at all for a time that is
   * far off; until then for one that is near.
   */
  suspendInMs(suspendAfterMs: number, now: number): number {
    if (this.waiting.some(({ operation }) => operation !== 'sleep')) return suspendAfterMs;
    const wakeAt = this.#earliestWakeAt() ?? Number.POSITIVE_INFINITY;
    return wakeAt - now > suspendAfterMs ? 0 : Number.POSITIVE_INFINITY;
  }

  /** When time ends the first of them; null if it ends none. */
  #earliestWakeAt(): number | null {
    const times = this.waiting.map(({ wakeAt }) => wakeAt).filter((wakeAt) => wakeAt !== null);
    return times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b));
  }
}
