export interface StayParams {
  /** Whether the slot is needed may have changed. */
  readonly onChange: () => void;
  /** Resolves when the workflow has a slot. */
  readonly whenSlot: () => Promise<void>;
  readonly onLeft: () => void;
}

/** The time that one try of a step's function takes, or the pause before the next. It keeps the workflow in memory. */
export class Stay {
  readonly #params: StayParams;
  #waits = 0;
  #hasLeft = false;
  /** Called when the workflow is over. */
  onOver: (() => void) | null = null;

  constructor(params: StayParams) {
    this.#params = params;
  }

  /** It waits, for one thing or several, and needs no slot until all of them are there. */
  get isWaiting(): boolean {
    return this.#waits > 0;
  }

  async wait<Result>(promise: Promise<Result>): Promise<Result> {
    const { onChange, whenSlot } = this.#params;
    this.#waits++;
    onChange();
    try {
      return await promise;
    } finally {
      this.#waits--;
      // What a try that timed out left behind goes on by itself.
      if (!this.#hasLeft) await whenSlot();
      // It may wait for more.
      onChange();
    }
  }

  leave(): void {
    this.#hasLeft = true;
    this.#params.onLeft();
  }
}
