/** How much is measured. Odd numbers of rounds, so that a median is a round that took place. */
export interface BenchPlan {
  /** Times each measure is taken, in turn with the floor. */
  readonly rounds: number;
  /** The same for measures whose rounds take long. */
  readonly longRounds: number;
  /** How long one round measures. */
  readonly roundMs: number;
  /** How long the floor is measured before and after each round. */
  readonly floorMs: number;
  readonly drainJobs: number;
  /** Jobs that wait while claims are measured, from few to many: the last is compared with the first. */
  readonly backlogs: readonly [number, ...number[]];
  readonly claimsPerRound: number;
  /** Jobs of the history that claims are compared with. */
  readonly historyJobs: number;
  /** How long a transaction is open while jobs come and go. */
  readonly snapshotMs: number;
  /** The end of that time, in which claims are looked at: whole seconds. */
  readonly snapshotSampledMs: number;
  readonly memoryProcesses: number;
  /** Jobs that a process has run before its memory is looked at. */
  readonly memoryJobs: number;
  readonly wakeUpsPerRound: number;
  readonly idleMs: number;
  /** Seconds of a round in which a schedule is due every second. */
  readonly lagSeconds: number;
  /** Schedules that are due in one instant. */
  readonly burstSchedules: number;
  /** Schedules that are not due while an idle client is measured. */
  readonly idleSchedules: number;
  /** Longer than a client sleeps that waits for schedules. */
  readonly scheduleIdleMs: number;
  /** Parents that await ten children each. */
  readonly fanOutParents: number;
  /** Workflows that sleep until one time; how often that is measured, and how long they are looked at asleep. */
  readonly asleepWorkflows: number;
  readonly asleepRounds: number;
  readonly asleepIdleMs: number;
  /** Until three processes have started, and more than `suspendAfterMs`: sleeps below stay in memory. */
  readonly asleepStartMs: number;
}

const FULL: BenchPlan = {
  rounds: 7,
  longRounds: 7,
  roundMs: 1000,
  floorMs: 200,
  drainJobs: 50_000,
  backlogs: [1000, 10_000, 100_000, 1_000_000],
  claimsPerRound: 50,
  historyJobs: 5_000_000,
  snapshotMs: 60_000,
  snapshotSampledMs: 10_000,
  memoryProcesses: 9,
  memoryJobs: 100_000,
  wakeUpsPerRound: 100,
  idleMs: 10_000,
  lagSeconds: 20,
  burstSchedules: 10_000,
  idleSchedules: 100_000,
  scheduleIdleMs: 16_000,
  fanOutParents: 100,
  asleepWorkflows: 10_000,
  asleepRounds: 3,
  asleepIdleMs: 8000,
  asleepStartMs: 8000,
};

/** Shows that everything runs; its figures are worth little. */
const QUICK: BenchPlan = {
  rounds: 3,
  longRounds: 1,
  roundMs: 150,
  floorMs: 50,
  drainJobs: 5000,
  backlogs: [1000, 20_000],
  claimsPerRound: 20,
  historyJobs: 50_000,
  snapshotMs: 2000,
  snapshotSampledMs: 1000,
  memoryProcesses: 1,
  memoryJobs: 2000,
  wakeUpsPerRound: 10,
  idleMs: 500,
  lagSeconds: 1,
  burstSchedules: 1000,
  idleSchedules: 1000,
  scheduleIdleMs: 500,
  fanOutParents: 5,
  asleepWorkflows: 200,
  asleepRounds: 1,
  asleepIdleMs: 500,
  asleepStartMs: 6000,
};

export function benchPlan(isQuick: boolean): BenchPlan {
  return isQuick ? QUICK : FULL;
}
