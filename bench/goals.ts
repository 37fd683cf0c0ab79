import { atLeast, atMost, atMostTimesFloor, type Goal } from './figure.ts';
import type { StorageKind } from './storage-under-test.ts';

interface Goals {
  readonly loneEnqueue: Goal;
  readonly hundredCallers: Goal;
  readonly enqueueMany: Goal | null;
  readonly drain: Goal;
  readonly drainCpuMicros: Goal;
  readonly roundTrip: Goal;
  readonly backlogClaim: Goal;
  readonly backlogDrain: Goal;
  readonly memoryMebibytes: Goal;
  readonly wakeUp: Goal | null;
  readonly scheduleLag: Goal;
  readonly scheduleBurst: Goal;
  readonly scheduleIdle: Goal;
  readonly asleepMebibytes: Goal;
  readonly asleepCpu: Goal;
  readonly asleepWake: Goal | null;
}

/** What the project set out to reach, for the measures that both storages have. */
export const GOALS: Readonly<Record<StorageKind, Goals>> = {
  lmdb: {
    loneEnqueue: atMostTimesFloor(2.5),
    hundredCallers: atLeast(40_000),
    enqueueMany: atLeast(120_000),
    drain: atLeast(40_000),
    drainCpuMicros: atMost(25),
    roundTrip: atMostTimesFloor(6),
    backlogClaim: atMost(1.5),
    backlogDrain: atMost(1.1),
    memoryMebibytes: atMost(6),
    wakeUp: atMost(10),
    scheduleLag: atMost(50),
    scheduleBurst: atMost(2000),
    scheduleIdle: atMost(0.5),
    asleepMebibytes: atMost(5),
    asleepCpu: atMost(0.5),
    asleepWake: atMost(2000),
  },
  postgres: {
    loneEnqueue: atMostTimesFloor(1.5),
    hundredCallers: atLeast(20_000),
    enqueueMany: null,
    drain: atLeast(20_000),
    drainCpuMicros: atMost(60),
    roundTrip: atMostTimesFloor(4),
    backlogClaim: atMost(1.5),
    backlogDrain: atMost(1.1),
    memoryMebibytes: atMost(8),
    wakeUp: null,
    scheduleLag: atMost(50),
    scheduleBurst: atMost(5000),
    scheduleIdle: atMost(0.5),
    asleepMebibytes: atMost(5),
    asleepCpu: atMost(0.5),
    asleepWake: null,
  },
};
