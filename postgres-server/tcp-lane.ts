import type { Socket } from 'node:net';

export type Direction = 'toServer' | 'toClient';

/** When to cut a connection. Chunks are as the network delivers them; a short message is one. */
export interface CutParams {
  readonly direction: Direction;
  readonly matches: (chunk: Buffer) => boolean;
  /** Whether the chunk that matches still arrives, as the last. */
  readonly isForwarded: boolean;
}

/** What a proxy does to all its connections at the moment. */
export interface Faults {
  isStalled: boolean;
  readonly delayMs: Record<Direction, number>;
  /** Resolves the promise of each cut that waits for its chunk. */
  readonly cuts: Map<CutParams, () => void>;
}

export interface LaneParams {
  readonly direction: Direction;
  readonly from: Socket;
  readonly to: Socket;
  readonly faults: Faults;
}

/** From then on the sender has to wait. */
const MAX_HELD_BYTES = 1024 * 1024;

/** One direction of a connection. */
export class TcpLane {
  readonly #params: LaneParams;
  /** What is yet to be forwarded. Null is the end. */
  readonly #held: { readonly chunk: Buffer | null; readonly dueMs: number }[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(params: LaneParams) {
    this.#params = params;
    const { from, to } = params;
    from.on('data', (chunk: Buffer) => this.#hold(chunk));
    from.on('end', () => this.#hold(null));
    to.on('drain', () => this.pump());
  }

  /** Forwards what is due. */
  pump(): void {
    const { from, to, faults } = this.#params;
    clearTimeout(this.#timer);
    // After a cut, what one side still says has nowhere to go.
    while (!faults.isStalled && !to.writableNeedDrain && !to.destroyed) {
      const next = this.#held[0];
      if (next === undefined) break;
      const leftMs = next.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.pump(), leftMs);
        break;
      }
      this.#held.shift();
      this.#heldBytes -= next.chunk?.length ?? 0;
      this.#forward(next.chunk);
    }
    if (this.#heldBytes < MAX_HELD_BYTES) from.resume();
  }

  /** Drops what is held. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #hold(chunk: Buffer | null): void {
    const { direction, from, faults } = this.#params;
    this.#held.push({ chunk, dueMs: performance.now() + faults.delayMs[direction] });
    this.#heldBytes += chunk?.length ?? 0;
    if (this.#heldBytes >= MAX_HELD_BYTES) from.pause();
    this.pump();
  }

  #forward(chunk: Buffer | null): void {
    const { to } = this.#params;
    if (chunk === null) to.end();
    else if (!this.#cutAt(chunk)) to.write(chunk);
  }

  #cutAt(chunk: Buffer): boolean {
    const { direction, from, to, faults } = this.#params;
    for (const [cut, done] of faults.cuts) {
      if (cut.direction !== direction || !cut.matches(chunk)) continue;
      faults.cuts.delete(cut);
      if (cut.isForwarded) {
        // A reset could overtake the chunk, so its receiver sees an end.
        to.write(chunk);
        to.destroySoon();
      } else {
        to.resetAndDestroy();
      }
      from.resetAndDestroy();
      done();
      return true;
    }
    return false;
  }
}
