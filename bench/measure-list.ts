import type { BenchPlan } from './bench-plan.ts';
import type { Figure } from './figure.ts';
import type { LmdbTarget, PostgresTarget, StorageKind, StorageUnderTest } from './storage-under-test.ts';

export interface MeasureContext<Target extends StorageUnderTest = StorageUnderTest> {
  readonly plan: BenchPlan;
  readonly storage: Target;
}

export type Measure<Target extends StorageUnderTest> = (context: MeasureContext<Target>) => Promise<Figure[]>;

interface ListedMeasure {
  /** As `--only` takes it. */
  readonly name: string;
  readonly summary: string;
  /** Only the measure that runs is loaded: what the others load must not count in its memory. */
  readonly lmdb?: () => Promise<Measure<LmdbTarget>>;
  readonly postgres?: () => Promise<Measure<PostgresTarget>>;
}

/** Of a measure that both storages have. */
function onBoth(load: () => Promise<Measure<StorageUnderTest>>): Pick<ListedMeasure, StorageKind> {
  return { lmdb: load, postgres: load };
}

/** In the order in which they run. */
export const MEASURES: readonly ListedMeasure[] = [
  {
    name: 'floor',
    summary: 'lmdb: a raw 4 KiB write + fdatasync; postgres: an INSERT of one row in one commit',
    lmdb: async () => (await import('./measures/disk-floor.ts')).measureDiskFloor,
    postgres: async () => (await import('./measures/insert-floor.ts')).measureInsertFloor,
  },
  {
    name: 'bare-lmdb',
    summary: 'lmdb: one put in one commit, without the library',
    lmdb: async () => (await import('./measures/bare-lmdb.ts')).measureBareLmdb,
  },
  {
    name: 'bare-postgres',
    summary: 'postgres: INSERTs of 100 callers at once that share statements, without the library',
    postgres: async () => (await import('./measures/bare-postgres.ts')).measureBarePostgres,
  },
  {
    name: 'lone-enqueue',
    summary: 'one durable call after the other',
    ...onBoth(async () => (await import('./measures/lone-enqueue.ts')).measureLoneEnqueue),
  },
  {
    name: 'callers',
    summary: 'durable calls of 1, 10 and 100 callers at once',
    ...onBoth(async () => (await import('./measures/callers.ts')).measureCallers),
  },
  {
    name: 'enqueue-many',
    summary: 'enqueueMany of 1000 jobs',
    ...onBoth(async () => (await import('./measures/enqueue-many.ts')).measureEnqueueMany),
  },
  {
    name: 'drain',
    summary: 'one worker process on a backlog of no-op jobs',
    ...onBoth(async () => (await import('./measures/drain.ts')).measureDrain),
  },
  {
    name: 'round-trip',
    summary: 'enqueue, run and result in one process',
    ...onBoth(async () => (await import('./measures/round-trip.ts')).measureRoundTrip),
  },
  {
    name: 'backlog-claim',
    summary: 'claims with few and with very many jobs waiting',
    ...onBoth(async () => (await import('./measures/backlog-claim.ts')).measureBacklogClaim),
  },
  {
    name: 'memory',
    summary: 'private memory of a process with an open client over a bare one',
    ...onBoth(async () => (await import('./measures/memory.ts')).measureMemory),
  },
  {
    name: 'wake-up',
    summary: 'from an enqueue in one process to its handler in another, and what an idle worker costs',
    ...onBoth(async () => (await import('./measures/wake-up.ts')).measureWakeUp),
  },
  {
    name: 'schedule-lag',
    summary: 'from the due time of a schedule to the start of the handler',
    ...onBoth(async () => (await import('./measures/schedule-lag.ts')).measureScheduleLag),
  },
  {
    name: 'schedule-burst',
    summary: 'very many schedules that are due in the same instant',
    ...onBoth(async () => (await import('./measures/schedule-burst.ts')).measureScheduleBurst),
  },
  {
    name: 'schedule-idle',
    summary: 'what very many schedules cost that are not due',
    ...onBoth(async () => (await import('./measures/schedule-idle.ts')).measureScheduleIdle),
  },
  {
    name: 'workflow-fan-out',
    summary: 'parents that await children, beside the same children alone',
    ...onBoth(async () => (await import('./measures/workflow-fan-out.ts')).measureWorkflowFanOut),
  },
  {
    name: 'workflow-replay',
    summary: 'a workflow of 1000 steps: doing them, and replaying them',
    ...onBoth(async () => (await import('./measures/workflow-replay.ts')).measureWorkflowReplay),
  },
  {
    name: 'workflow-asleep',
    summary: 'what very many sleeping workflows cost, and how soon all wake at one time',
    ...onBoth(async () => (await import('./measures/workflow-asleep.ts')).measureWorkflowAsleep),
  },
  {
    name: 'open-snapshot',
    summary: 'postgres: claims while a transaction elsewhere keeps all that is deleted from being vacuumed',
    postgres: async () => (await import('./measures/open-snapshot.ts')).measureOpenSnapshot,
  },
  {
    name: 'history-claim',
    summary: 'postgres: claims with very many finished jobs and with none',
    postgres: async () => (await import('./measures/history-claim.ts')).measureHistoryClaim,
  },
];
