import type { StoredError } from '../core/job.ts';

/** Which attempt of which job an event tells of. */
export interface AttemptEvent {
  readonly jobId: string;
  readonly name: string;
  readonly attempt: number;
}

export interface AttemptSuccessEvent extends AttemptEvent {
  /** From the start of the handler to its end, milliseconds. */
  readonly durationMs: number;
}

export interface AttemptErrorEvent extends AttemptEvent {
  readonly error: StoredError;
  /** When the job is due again, milliseconds from now; null if this was its last attempt. */
  readonly retryInMs: number | null;
}

export interface JobDeadEvent extends AttemptEvent {
  readonly error: StoredError;
}

export interface StorageErrorEvent {
  /** What the library was doing. */
  readonly operation: StorageOperation;
  readonly error: unknown;
  /** True: the storage failed for good, and this client claims nothing more. False: the call is repeated. */
  readonly isFinal: boolean;
}

/** `watch`: the storage itself told that it failed. */
export type StorageOperation =
  | 'claim'
  | 'settle'
  | 'record'
  | 'cancel'
  | 'extend'
  | 'reclaim'
  | 'prune'
  | 'schedule'
  | 'read'
  | 'watch';

/** What a worker tells of. The outcomes come after they are durable. */
export interface WorkerEvents {
  /** A handler is about to be called. */
  'job:start': AttemptEvent;
  /** A handler returned, and its result is stored. */
  'job:success': AttemptSuccessEvent;
  /** An attempt failed or was lost, whether or not the job is tried again. */
  'job:error': AttemptErrorEvent;
  /** A job ended dead; its last attempt was told of by `job:error`. */
  'job:dead': JobDeadEvent;
  /** A call that the library made by itself was rejected by the storage. */
  'storage:error': StorageErrorEvent;
}
