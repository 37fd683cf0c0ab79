import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import type { WorkflowEnvironment } from './workflow-host.ts';

/** Reads from a storage until it answers, or until nobody wants to know any more. */
export class PatientReader {
  readonly #environment: Pick<WorkflowEnvironment, 'runtime' | 'reportError'>;
  readonly #closed: Promise<void>;
  #isClosed = false;
  /** Ends what waits for time to pass, or for the end. */
  #onClose = (): void => {};

  constructor(environment: Pick<WorkflowEnvironment, 'runtime' | 'reportError'>) {
    this.#environment = environment;
    this.#closed = new Promise((resolve) => {
      this.#onClose = resolve;
    });
  }

  /** Rejects once the reader is closed, and not before, even where the storage is gone: nothing may be done as if there were nothing to read. */
  async repeat<Result>(read: () => Promise<Result>): Promise<Result> {
    const { reportError } = this.#environment;
    for (let failures = 1; !this.#isClosed; failures++) {
      try {
        const result = await read();
        if (!this.#isClosed) return result;
      } catch (error) {
        if (this.#isClosed || reportError(error)) break;
        await this.#pause(failures);
      }
    }
    await this.#closed;
    throw new Error('nobody wants to know any more');
  }

  close(): void {
    this.#isClosed = true;
    this.#onClose();
  }

  async #pause(failures: number): Promise<void> {
    const { runtime } = this.#environment;
    const delayMs = retryDelayMs(STORAGE_BACKOFF, failures, runtime.random());
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = runtime.setTimer(delayMs, end);
    await Promise.race([over, this.#closed]);
    timer.cancel();
  }
}
