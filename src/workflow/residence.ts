import type { WorkflowHost } from './workflow-host.ts';

export interface ResidenceParams {
  readonly host: Pick<WorkflowHost, 'park' | 'unpark'>;
  /** What runs in steps has changed. */
  readonly onChange: () => void;
  readonly isOver: () => boolean;
}

/** What of a workflow takes up a slot, and what keeps it in memory. */
export class Residence {
  readonly #params: ResidenceParams;
  /** Functions of steps that run, and those that wait for something. */
  #running = 0;
  #waiting = 0;
  #isParked = false;

  constructor(params: ResidenceParams) {
    this.#params = params;
  }

  /** The slot was given back. */
  get isParked(): boolean {
    return this.#isParked;
  }

  /** A function of a step runs, and needs the slot. */
  get needsSlot(): boolean {
    return this.#running > 0;
  }

  /** A suspension would cut off the function of a step. */
  get needsMemory(): boolean {
    return this.#running + this.#waiting > 0;
  }

  /** The function of a step runs, until {@link leave}. */
  enter(): void {
    this.#running++;
  }

  leave(): void {
    this.#running--;
    this.#params.onChange();
  }

  /** What runs between {@link enter} and {@link leave} waits for `promise`, and meanwhile needs no slot. */
  async wait<Result>(promise: Promise<Result>): Promise<Result> {
    this.#running--;
    this.#waiting++;
    this.#params.onChange();
    try {
      return await promise;
    } finally {
      this.#waiting--;
      this.#running++;
      await new Promise<void>((resolve) => this.withSlot(resolve));
    }
  }

  park(suspendInMs: number): void {
    this.#isParked = true;
    this.#params.host.park(suspendInMs);
  }

  /** Calls `goOn` when there is a slot for it; never, once the workflow is over. */
  withSlot(goOn: () => void): void {
    const { host, isOver } = this.#params;
    if (this.#isParked) {
      host.unpark(() => {
        this.#isParked = false;
        if (!isOver()) goOn();
      });
    } else goOn();
  }
}
