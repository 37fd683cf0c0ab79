import type { Runtime } from '../core/runtime.ts';

/** After so many in one turn of the event loop, timers and I/O come first: a replay may have very many. */
const MAX_IN_ROW = 100;

/** Has `run` called when no promise callback is left to run, once however often it is asked for until then. */
export class Turn {
  readonly #runtime: Pick<Runtime, 'setImmediate' | 'afterPromises'>;
  readonly #run: () => void;
  #isScheduled = false;
  #count = 0;

  constructor(runtime: Pick<Runtime, 'setImmediate' | 'afterPromises'>, run: () => void) {
    this.#runtime = runtime;
    this.#run = run;
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const run = (): void => {
      this.#isScheduled = false;
      this.#run();
    };
    if (++this.#count % MAX_IN_ROW === 0) this.#runtime.setImmediate(run);
    else this.#runtime.afterPromises(run);
  }
}
