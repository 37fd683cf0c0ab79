import type { WorkerEvents } from '../worker/worker-events.ts';

/** What a client tells of, by event name. */
export interface ReseolioEvents extends WorkerEvents {
  /** `start()` is done. */
  ready: { readonly workerId: string };
  /** `stop()` is done. */
  stopped: { readonly workerId: string };
  /** A call found the job of an earlier one with the same name and idempotency key. */
  deduplicated: { readonly jobId: string; readonly name: string; readonly idempotencyKey: string };
}

export type ReseolioEventName = keyof ReseolioEvents;

export type ReseolioListener<Name extends ReseolioEventName> = (payload: ReseolioEvents[Name]) => void;

export const EVENT_NAMES: ReadonlySet<string> = new Set([
  'ready',
  'stopped',
  'job:start',
  'job:success',
  'job:error',
  'job:dead',
  'deduplicated',
  'storage:error',
] satisfies ReseolioEventName[]);
