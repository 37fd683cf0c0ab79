import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';
import type { SchedulerEvents } from '../maintenance/scheduler-events.ts';
import type { WorkerEvents } from '../worker/worker-events.ts';

/** What a client tells of, by event name. */
export interface ReseolioEvents extends WorkerEvents, SchedulerEvents {
  /** `start()` is done. */
  ready: { readonly workerId: string };
  /** `stop()` is done. */
  stopped: { readonly workerId: string };
  /** A call found the job of an earlier one with the same name and idempotency key. */
  deduplicated: { readonly jobId: string; readonly name: string; readonly idempotencyKey: string };
}

export type ReseolioEventName = keyof ReseolioEvents;

export type ReseolioListener<Name extends ReseolioEventName> = (payload: ReseolioEvents[Name]) => void;

const EVENT_NAMES: ReadonlySet<string> = new Set([
  'ready',
  'stopped',
  'job:start',
  'job:success',
  'job:error',
  'job:dead',
  'deduplicated',
  'schedule:fire',
  'schedule:skip',
  'schedule:error',
  'storage:error',
] satisfies ReseolioEventName[]);

/** Throws `invalid_argument` unless `event` is one and `listener` can be called. */
export function assertSubscription(event: unknown, listener: unknown): void {
  if (typeof event !== 'string' || !EVENT_NAMES.has(event)) {
    throw new ReseolioError(
      'invalid_argument',
      `${describeValue(event)} is no event: use ${[...EVENT_NAMES].join(', ')}`,
    );
  }
  if (typeof listener !== 'function') {
    throw new ReseolioError('invalid_argument', `the listener of ${event} is ${describeValue(listener)}`);
  }
}
