import type { BenchPlan } from './bench-plan.ts';
import type { DiskFloor } from './disk-floor.ts';
import type { Figure } from './figure.ts';

export interface MeasureContext {
  readonly plan: BenchPlan;
  readonly floor: DiskFloor;
  /** A directory of the measure's own, on the disk of the floor. */
  readonly directory: string;
}

export type Measure = (context: MeasureContext) => Promise<Figure[]>;

interface ListedMeasure {
  /** As `--only` takes it. */
  readonly name: string;
  readonly summary: string;
  /** Only the measure that runs is loaded: what the others load must not count in its memory. */
  readonly load: () => Promise<Measure>;
}

/** In the order in which they run. */
export const MEASURES: readonly ListedMeasure[] = [
  {
    name: 'floor',
    summary: 'a raw 4 KiB write + fdatasync',
    load: async () => (await import('./measures/floor.ts')).measureFloor,
  },
  {
    name: 'bare-lmdb',
    summary: 'one put in one commit of LMDB, without the library',
    load: async () => (await import('./measures/bare-lmdb.ts')).measureBareLmdb,
  },
  {
    name: 'lone-enqueue',
    summary: 'one durable call after the other',
    load: async () => (await import('./measures/lone-enqueue.ts')).measureLoneEnqueue,
  },
  {
    name: 'callers',
    summary: 'durable calls of 1, 10 and 100 callers at once',
    load: async () => (await import('./measures/callers.ts')).measureCallers,
  },
  {
    name: 'enqueue-many',
    summary: 'enqueueMany of 1000 jobs',
    load: async () => (await import('./measures/enqueue-many.ts')).measureEnqueueMany,
  },
  {
    name: 'drain',
    summary: 'one worker process on a backlog of no-op jobs',
    load: async () => (await import('./measures/drain.ts')).measureDrain,
  },
  {
    name: 'round-trip',
    summary: 'enqueue, run and result in one process',
    load: async () => (await import('./measures/round-trip.ts')).measureRoundTrip,
  },
  {
    name: 'backlog-claim',
    summary: 'claims with few and with very many jobs waiting',
    load: async () => (await import('./measures/backlog-claim.ts')).measureBacklogClaim,
  },
  {
    name: 'memory',
    summary: 'private memory of a process with an open client over a bare one',
    load: async () => (await import('./measures/memory.ts')).measureMemory,
  },
  {
    name: 'wake-up',
    summary: 'from an enqueue in one process to its handler in another, and what an idle worker costs',
    load: async () => (await import('./measures/wake-up.ts')).measureWakeUp,
  },
];
