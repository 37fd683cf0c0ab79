import type { Storage } from '../core/storage.ts';
import type { DrivenRuntime } from './driven-runtime.ts';

/** `storage`, with every call known to `runtime`, so that `advance` waits for its real I/O. */
export function trackStorage(storage: Storage, runtime: DrivenRuntime): Storage {
  return {
    enqueue: (params) => runtime.track(storage.enqueue(params)),
    enqueueInTransaction: (params) => runtime.track(storage.enqueueInTransaction(params)),
    claim: (params) => runtime.track(storage.claim(params)),
    extendLeases: (params) => runtime.track(storage.extendLeases(params)),
    settle: (params) => runtime.track(storage.settle(params)),
    recordSteps: (params) => runtime.track(storage.recordSteps(params)),
    getSteps: (params) => runtime.track(storage.getSteps(params)),
    signal: (params) => runtime.track(storage.signal(params)),
    getSignals: (params) => runtime.track(storage.getSignals(params)),
    reclaimExpired: (params) => runtime.track(storage.reclaimExpired(params)),
    cancel: (params) => runtime.track(storage.cancel(params)),
    retry: (params) => runtime.track(storage.retry(params)),
    getJobs: (params) => runtime.track(storage.getJobs(params)),
    getAttempts: (params) => runtime.track(storage.getAttempts(params)),
    listJobs: (params) => runtime.track(storage.listJobs(params)),
    counts: () => runtime.track(storage.counts()),
    prune: (params) => runtime.track(storage.prune(params)),
    createSchedule: (params) => runtime.track(storage.createSchedule(params)),
    getSchedule: (params) => runtime.track(storage.getSchedule(params)),
    listSchedules: (params) => runtime.track(storage.listSchedules(params)),
    updateSchedule: (params) => runtime.track(storage.updateSchedule(params)),
    listDueSchedules: (params) => runtime.track(storage.listDueSchedules(params)),
    fireSchedules: (params) => runtime.track(storage.fireSchedules(params)),
    watch: (listener) => storage.watch(listener),
    close: () => runtime.track(storage.close()),
  };
}
