import { ReseolioError } from '../core/errors.ts';
import type { EventSink } from './event-hub.ts';
import type { StorageOperation, WorkerEvents } from './worker-events.ts';

/** Where all parts of one client report what the storage rejected, so that its failing for good is told once. */
export class StorageErrors {
  readonly #events: EventSink<WorkerEvents>;
  readonly #listeners = new Set<(error: unknown) => void>();
  #isFinal = false;

  constructor(events: EventSink<WorkerEvents>) {
    this.#events = events;
  }

  /** Calls `listener` when the storage fails for good, unless the function that is returned was called. */
  onFailed(listener: (error: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells of `error`. True: the storage is gone for good, so there is nothing to repeat. */
  report(operation: StorageOperation, error: unknown): boolean {
    if (isFinalError(error)) this.fail(operation, error);
    else if (!this.#isFinal) this.#events.emit('storage:error', { operation, error, isFinal: false });
    return this.#isFinal;
  }

  fail(operation: StorageOperation, error: unknown): void {
    if (this.#isFinal) return;
    this.#isFinal = true;
    for (const listener of this.#listeners) listener(error);
    this.#events.emit('storage:error', { operation, error, isFinal: true });
  }

  /** From here on nothing is told any more: the client lets go of the storage. */
  close(): void {
    this.#isFinal = true;
  }
}

function isFinalError(error: unknown): boolean {
  return error instanceof ReseolioError && (error.code === 'storage_failed' || error.code === 'stopped');
}
