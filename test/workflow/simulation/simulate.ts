import { MemoryStorage } from '../../../src/backends/memory/memory-storage.ts';
import type { Storage } from '../../../src/core/storage.ts';
import { type JobHandle, Reseolio } from '../../../src/index.ts';
import { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';
import { Chance } from './chance.ts';
import { Observer } from './observer.ts';
import { type Block, createPlan, isPossible } from './plan.ts';
import { listSignals, type PlannedSignal, type RunJob } from './run-block.ts';
import { SimulatedProcesses } from './simulated-processes.ts';

export interface SimulationParams {
  readonly seed: number;
  /** Nothing fails, nobody dies, and jobs have one attempt. */
  readonly isCalm: boolean;
  /** Stands between the processes and the storage. */
  readonly wrap?: (storage: Storage, chance: Chance) => Storage;
}

export interface SimulationResult {
  readonly violations: readonly string[];
  readonly stepRuns: number;
  readonly handlerRuns: number;
  readonly processes: number;
}

/** How long a run may take, and how long it stands still between two looks. */
const END_MS = 30_000;
const LOOK_MS = 100;

/** Runs one random workflow on processes that die, stop and are cut off, and says what was not as it has to be. */
export async function simulate({ seed, isCalm, wrap }: SimulationParams): Promise<SimulationResult> {
  const chance = new Chance(seed);
  const runtime = new DrivenRuntime({ seed });
  const memory = new MemoryStorage({ runtime });
  const storage = wrap === undefined ? memory : wrap(memory, chance);
  const observer = new Observer();
  const plan = createPlan(chance, { depth: chance.int(1, 3), failures: isCalm ? 'none' : 'any' });
  const options = {
    runtime,
    leaseMs: 200,
    workerConcurrency: chance.int(1, 3),
    suspendAfterMs: chance.pick([0, 5, 50, 1000]),
    shutdownGraceMs: chance.pick([0, 50, 2000]),
  };
  const operator = new Reseolio({ ...options, storage: memory, workerConcurrency: 0 });
  await operator.start();
  const sentTo = new Set<string>();
  const deaths = isCalm ? 0 : chance.int(0, 6);
  const maxAttempts = isCalm ? 1 : 40;
  const count = chance.int(1, 2);
  const processes = new SimulatedProcesses({
    ...{ runtime, storage, observer, chance, options, maxAttempts, deaths },
    unreliability: {
      errorProbability: chance.pick([0, 0, 0.05]),
      maxDelayMs: chance.pick([0, 0, 5, 30]),
      isHeartless: chance.is(0.15),
    },
    // Old code cannot go on with what new code began.
    isUpgraded: count === 1 && chance.is(0.7),
    onRunning: (jobId, body) => {
      if (sentTo.has(jobId)) return;
      sentTo.add(jobId);
      for (const signal of listSignals(body)) sendLater(runtime, operator.getHandle(jobId), signal);
    },
  });
  const runJob: RunJob = operator.remote('job');
  const handle = await runJob.callWithOptions([plan, 'root', 0], {
    ...{ maxAttempts, initialDelayMs: 5, maxDelayMs: 5, jitter: 0, timeoutMs: 60_000 },
  });
  await runUntilEnd({ runtime, handle, restart: () => processes.replenish(count) });
  await judge(operator, handle, plan, observer);
  const stopped = Promise.all([processes.stopAll(), operator.stop()]);
  await runtime.advance(30_000);
  await stopped;
  if (runtime.pendingTimers > 0) observer.note(`${runtime.pendingTimers} timers are left`);
  const { violations, stepRuns, handlerRuns } = observer;
  return { violations, stepRuns, handlerRuns, processes: processes.started };
}

interface Run {
  readonly runtime: DrivenRuntime;
  readonly handle: JobHandle;
  readonly restart: () => Promise<void>;
}

async function runUntilEnd({ runtime, handle, restart }: Run): Promise<void> {
  for (let waitedMs = 0; waitedMs < END_MS; waitedMs += LOOK_MS) {
    await restart();
    await runtime.advance(LOOK_MS);
    const status = await handle.status();
    if (status !== 'pending' && status !== 'running') return;
  }
}

function sendLater(runtime: DrivenRuntime, handle: JobHandle, { name, payload, afterMs }: PlannedSignal): void {
  // The job may have ended: somebody else won a race.
  const send = (): void => void handle.signal(name, payload).catch(() => {});
  if (afterMs === 0) send();
  else runtime.setTimer(afterMs, send);
}

async function judge(operator: Reseolio, handle: JobHandle, plan: Block, observer: Observer): Promise<void> {
  const details = await handle.details();
  const { status, result, error } = details;
  if (status !== 'success') observer.note(`the job is ${status}: ${error?.name} ${error?.message}`);
  else if (!isPossible(plan, result)) observer.note(`the result ${JSON.stringify(result)} is not what the plan says`);
  const { jobs } = await operator.listJobs({ statuses: ['dead', 'cancelled'], limit: 1000 });
  for (const { id, error: last } of jobs) {
    if (last?.message !== 'this one is to die') observer.note(`${id} ended with ${last?.name}: ${last?.message}`);
  }
}
