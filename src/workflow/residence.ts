import { Stay } from './stay.ts';
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
  readonly #stays = new Set<Stay>();
  #isParked = false;
  /** What is to go on once there is a slot, which has been asked for. */
  #goOns: (() => void)[] = [];

  constructor(params: ResidenceParams) {
    this.#params = params;
  }

  /** The slot was given back. */
  get isParked(): boolean {
    return this.#isParked;
  }

  /** A slot has been asked for. */
  get isUnparking(): boolean {
    return this.#goOns.length > 0;
  }

  /** A function of a step runs, and needs the slot. */
  get needsSlot(): boolean {
    for (const stay of this.#stays) if (!stay.isWaiting) return true;
    return false;
  }

  /** A suspension would cut off the function of a step. */
  get needsMemory(): boolean {
    return this.#stays.size > 0;
  }

  /** The function of a step is to run, until the stay is left. */
  enter(): Stay {
    const stay = new Stay({
      onChange: this.#params.onChange,
      whenSlot: () => this.whenSlot(),
      onLeft: () => {
        this.#stays.delete(stay);
        this.#params.onChange();
      },
    });
    this.#stays.add(stay);
    return stay;
  }

  park(suspendInMs: number): void {
    this.#isParked = true;
    this.#params.host.park(suspendInMs);
  }

  /** Calls `goOn` when there is a slot for it. */
  withSlot(goOn: () => void): void {
    if (!this.#isParked) {
      goOn();
      return;
    }
    this.#goOns.push(goOn);
    if (this.#goOns.length > 1) return;
    this.#params.host.unpark(() => {
      this.#isParked = false;
      const goOns = this.#goOns;
      this.#goOns = [];
      for (const next of goOns) next();
      this.#params.onChange();
    });
  }

  /** Resolves when there is a slot; at once when the workflow is over, so that what is left of it comes to its end. */
  async whenSlot(): Promise<void> {
    if (this.#isParked && !this.#params.isOver()) await new Promise<void>((resolve) => this.withSlot(resolve));
  }

  /** The workflow is over. */
  close(): void {
    for (const stay of this.#stays) stay.onOver?.();
  }
}
