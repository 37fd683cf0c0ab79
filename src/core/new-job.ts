import type { JobOptions } from './options.ts';
import type { Payload } from './payload.ts';

/** A job that is to be stored. */
export interface NewJob {
  /** A UUIDv7 made by the caller. A known id is the repeat of an enqueue whose outcome was unknown: a no-op. */
  readonly id: string;
  readonly name: string;
  readonly args: Payload;
  readonly options: JobOptions;
  readonly priority: number;
  readonly idempotencyKey: string | null;
  /** Due this long from now; null: see `runAt`. */
  readonly delayMs: number | null;
  /** Due at this time, Unix milliseconds; null (and no `delayMs`): now. */
  readonly runAt: number | null;
}
