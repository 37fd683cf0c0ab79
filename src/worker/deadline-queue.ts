import type { Runtime, Timer } from '../core/runtime.ts';

/** What can stand in a {@link DeadlineQueue}. */
export interface Deadlined {
  /** Milliseconds on the runtime's monotonic clock. */
  readonly deadline: number;
  /** Where it stands in the queue; the queue's own, -1 outside of it. */
  queueIndex: number;
}

/** What is to happen at the deadlines of many items, with one timer for all: a binary heap, the earliest on top. */
export class DeadlineQueue<Item extends Deadlined> {
  readonly #runtime: Runtime;
  readonly #onExpired: (item: Item) => void;
  readonly #heap: Item[] = [];
  #timer: Timer | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(runtime: Runtime, onExpired: (item: Item) => void) {
    this.#runtime = runtime;
    this.#onExpired = onExpired;
  }

  add(item: Item): void {
    this.#heap.push(item);
    this.#rise(item, this.#heap.length - 1);
    if (item.deadline < this.#timerAt) this.#arm();
  }

  /** Without effect if `item` is not in the queue. */
  remove(item: Item): void {
    const index = item.queueIndex;
    if (index < 0) return;
    item.queueIndex = -1;
    const last = this.#heap.pop() as Item;
    // The timer stays: to set it anew for each job costs more than to wake up in vain now and then.
    if (last === item) return;
    if (last.deadline < item.deadline) this.#rise(last, index);
    else this.#sink(last, index);
  }

  /** Forgets all items and the timer. */
  clear(): void {
    for (const item of this.#heap) item.queueIndex = -1;
    this.#heap.length = 0;
    this.#disarm();
  }

  /** Drops the timer if there is nothing that it could be for. */
  disarmIfEmpty(): void {
    if (this.#heap.length === 0) this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    const first = this.#heap[0];
    if (first === undefined) return;
    this.#timerAt = first.deadline;
    // At least one millisecond: a timer may fire just before the clock gets there.
    this.#timer = this.#runtime.setTimer(Math.max(1, first.deadline - this.#runtime.monotonicNow()), () =>
      this.#expire(),
    );
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    this.#disarm();
    const now = this.#runtime.monotonicNow();
    for (let first = this.#heap[0]; first !== undefined && first.deadline <= now; first = this.#heap[0]) {
      this.remove(first);
      this.#onExpired(first);
    }
    this.#arm();
  }

  #rise(item: Item, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex] as Item;
      if (parent.deadline <= item.deadline) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(item, index);
  }

  #sink(item: Item, from: number): void {
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= this.#heap.length) break;
      const right = this.#heap[childIndex + 1];
      if (right !== undefined && right.deadline < (this.#heap[childIndex] as Item).deadline) childIndex++;
      const child = this.#heap[childIndex] as Item;
      if (item.deadline <= child.deadline) break;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(item, index);
  }

  #place(item: Item, index: number): void {
    this.#heap[index] = item;
    item.queueIndex = index;
  }
}
