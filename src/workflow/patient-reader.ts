import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import type { Timer } from '../core/runtime.ts';
import type { WorkflowEnvironment } from './workflow-host.ts';

/** Reads from a storage until it answers, or until nobody wants to know any more. */
export class PatientReader {
  readonly #environment: Pick<WorkflowEnvironment, 'runtime' | 'reportError'>;
  #pause: Timer | null = null;
  #isClosed = false;

  constructor(environment: Pick<WorkflowEnvironment, 'runtime' | 'reportError'>) {
    this.#environment = environment;
  }

  /** Never resolves where the storage is gone or the reader closed: nothing may be done as if there were nothing to read. */
  async repeat<Result>(read: () => Promise<Result>): Promise<Result> {
    const { runtime, reportError } = this.#environment;
    for (let failures = 1; !this.#isClosed; failures++) {
      try {
        const result = await read();
        if (!this.#isClosed) return result;
      } catch (error) {
        if (this.#isClosed || reportError(error)) break;
        const delayMs = retryDelayMs(STORAGE_BACKOFF, failures, runtime.random());
        await new Promise<void>((resolve) => {
          this.#pause = runtime.setTimer(delayMs, resolve);
        });
      }
    }
    return new Promise<never>(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#pause?.cancel();
    this.#pause = null;
  }
}
