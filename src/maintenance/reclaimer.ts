import type { Runtime } from '../core/runtime.ts';
import type { ReclaimedJob, Storage } from '../core/storage.ts';
import { MaintenanceLoop } from './maintenance-loop.ts';

const BATCH_LIMIT = 1000;
const MIN_PAUSE_MS = 5;
/** Clients that share a storage spread their looks at random, by up to this share of the pause. */
const JITTER = 0.1;

export interface ReclaimerParams {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly leaseMs: number;
  readonly onReclaimed: (jobs: readonly ReclaimedJob[]) => void;
  readonly reportError: (error: unknown) => boolean;
}

/** Takes back the jobs of lost workers soon after their leases expire. Every started client runs one. */
export function createReclaimer(params: ReclaimerParams): MaintenanceLoop {
  const { runtime, storage, leaseMs, onReclaimed, reportError } = params;

  async function step(): Promise<number> {
    const { jobs, nextExpiryInMs } = await storage.reclaimExpired({ limit: BATCH_LIMIT });
    if (jobs.length > 0) onReclaimed(jobs);
    // A lease of another client may be shorter than ours, so we look before ours could expire.
    const pauseMs = Math.min(nextExpiryInMs ?? Number.POSITIVE_INFINITY, leaseMs / 2);
    return Math.max(MIN_PAUSE_MS, pauseMs) * (1 + JITTER * runtime.random());
  }

  return new MaintenanceLoop({ runtime, firstDelayMs: 0, step, reportError });
}
