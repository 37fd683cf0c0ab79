import { FINISHED_STATES, type FinishedState } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Storage } from '../core/storage.ts';
import { MaintenanceLoop } from './maintenance-loop.ts';

const BATCH_LIMIT = 500;
const PAUSE_MS = 60_000;
/** Between batches while there is more, so that claims and settles get their turn. */
const BUSY_PAUSE_MS = 10;
const JITTER = 0.1;

/** How long finished jobs are kept, milliseconds; null: for ever. */
export type Retention = Readonly<Record<FinishedState, number | null>>;

export interface PrunerParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly retention: Retention;
  readonly reportError: (error: unknown) => boolean;
}

/** Deletes finished jobs after their retention time, in small batches. Every started client runs one. */
export function createPruner({ runtime, storage, retention, reportError }: PrunerParams): MaintenanceLoop {
  async function step(): Promise<number> {
    let hasMore = false;
    for (const state of FINISHED_STATES) {
      const olderThanMs = retention[state];
      if (olderThanMs === null) continue;
      const result = await storage.prune({ state, olderThanMs, limit: BATCH_LIMIT });
      hasMore ||= result.hasMore;
    }
    return hasMore ? BUSY_PAUSE_MS : PAUSE_MS * (1 + JITTER * (2 * runtime.random() - 1));
  }

  // The first look is anywhere in the first minute: many processes may start together.
  return new MaintenanceLoop({ runtime, firstDelayMs: PAUSE_MS * runtime.random(), step, reportError });
}
