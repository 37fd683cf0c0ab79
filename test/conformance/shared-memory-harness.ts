import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import { ReseolioError } from '../../src/core/errors.ts';
import type { Storage } from '../../src/core/storage.ts';
import { DrivenRuntime, type StorageHarness } from '../../src/testing/index.ts';

export interface SharedMemoryParams {
  /** What becomes of the storage that all doors share. */
  readonly wrap?: (storage: Storage) => Storage;
  /** What becomes of each door. */
  readonly wrapDoor?: (door: Storage) => Storage;
  /** What a reopened door leads to. */
  readonly onReopen?: (storage: Storage, runtime: DrivenRuntime) => Storage;
}

/**
 * A memory storage behind doors that are closed and opened one by one, as processes do to a database: it shows what
 * the rules of persistent and shared storages ask for, with no file in between.
 */
export function createSharedMemoryHarness(params: Readonly<SharedMemoryParams> = {}): StorageHarness {
  const { wrap = same, wrapDoor = same, onReopen = same } = params;
  return {
    capabilities: { isPersistent: true, isShared: true, isTransactional: false },
    async open() {
      const runtime = new DrivenRuntime();
      let shared = wrap(new MemoryStorage({ runtime }));
      let doors: Storage[] = [];
      const openDoor = (): Storage => {
        const door = wrapDoor(createDoor(shared));
        doors.push(door);
        return door;
      };
      const closeDoors = async (): Promise<void> => {
        await Promise.all(doors.map((door) => door.close()));
        doors = [];
      };
      return {
        storage: openDoor(),
        now: runtime.now,
        advance: (ms) => runtime.advance(ms),
        async reopen() {
          await closeDoors();
          shared = onReopen(shared, runtime);
          return openDoor();
        },
        openAnother: async () => openDoor(),
        beginTransaction: null,
        destroy: closeDoors,
      };
    },
  };
}

function same(storage: Storage): Storage {
  return storage;
}

function createDoor(storage: Storage): Storage {
  let isClosed = false;
  const pass = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new ReseolioError('stopped', 'the storage is closed');
    return call();
  };
  return {
    enqueue: (params) => pass(() => storage.enqueue(params)),
    enqueueInTransaction: (params) => pass(() => storage.enqueueInTransaction(params)),
    claim: (params) => pass(() => storage.claim(params)),
    extendLeases: (params) => pass(() => storage.extendLeases(params)),
    settle: (params) => pass(() => storage.settle(params)),
    recordSteps: (params) => pass(() => storage.recordSteps(params)),
    getSteps: (params) => pass(() => storage.getSteps(params)),
    signal: (params) => pass(() => storage.signal(params)),
    getSignals: (params) => pass(() => storage.getSignals(params)),
    reclaimExpired: (params) => pass(() => storage.reclaimExpired(params)),
    cancel: (params) => pass(() => storage.cancel(params)),
    retry: (params) => pass(() => storage.retry(params)),
    getJobs: (params) => pass(() => storage.getJobs(params)),
    getAttempts: (params) => pass(() => storage.getAttempts(params)),
    listJobs: (params) => pass(() => storage.listJobs(params)),
    counts: () => pass(() => storage.counts()),
    prune: (params) => pass(() => storage.prune(params)),
    createSchedule: (params) => pass(() => storage.createSchedule(params)),
    getSchedule: (params) => pass(() => storage.getSchedule(params)),
    listSchedules: (params) => pass(() => storage.listSchedules(params)),
    updateSchedule: (params) => pass(() => storage.updateSchedule(params)),
    listDueSchedules: (params) => pass(() => storage.listDueSchedules(params)),
    fireSchedules: (params) => pass(() => storage.fireSchedules(params)),
    watch: (listener) => storage.watch(listener),
    close: async () => {
      isClosed = true;
    },
  };
}
