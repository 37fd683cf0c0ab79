import { MemoryStorage } from '../../../src/backends/memory/memory-storage.ts';
import type { Storage } from '../../../src/core/storage.ts';
import { type JobHandle, Reseolio, type ReseolioOptions } from '../../../src/index.ts';
import { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';
import { Chance } from './chance.ts';
import { Observer } from './observer.ts';
import { type Block, createPlan, isPossible } from './plan.ts';
import { listSignals, type PlannedSignal, type RunJob } from './run-block.ts';
import { SimulatedProcesses } from './simulated-processes.ts';
import type { Unreliability } from './unreliable-storage.ts';

export interface SimulationParams {
  readonly seed: number;
  /**
   * `rough`: processes die, stop and are cut off, steps, handlers and children fail. `calm`: nothing of this happens, and jobs
   * have one attempt. `cancelled`: as rough, and the workflow is asked to stop at some time.
   */
  readonly mode: 'rough' | 'calm' | 'cancelled';
  /** Stands between the processes and the storage. */
  readonly wrap?: (storage: Storage) => Storage;
}

export interface SimulationResult {
  readonly violations: readonly string[];
  readonly handlerRuns: number;
  readonly processes: number;
}

/** How long a run may take, and how long it stands still between two looks. */
const END_MS = 30_000;
const LOOK_MS = 100;

/** Runs one random workflow, and says what was not as it has to be. */
export async function simulate({ seed, mode, wrap }: SimulationParams): Promise<SimulationResult> {
  const chance = new Chance(seed);
  const runtime = new DrivenRuntime({ seed });
  const memory = new MemoryStorage({ runtime });
  const observer = new Observer();
  const plan = createPlan(chance, { depth: chance.int(1, 3), failures: mode === 'calm' ? 'none' : 'any' });
  const options = chooseOptions(chance, runtime);
  const operator = new Reseolio({ ...options, storage: memory, workerConcurrency: 0 });
  await operator.start();
  const signalled = new Set<string>();
  const count = chance.int(1, 2);
  const maxAttempts = mode === 'calm' ? 1 : 40;
  const processes = new SimulatedProcesses({
    ...{ runtime, observer, chance, options, maxAttempts },
    storage: wrap === undefined ? memory : wrap(memory),
    deaths: mode === 'calm' ? 0 : chance.int(0, 6),
    unreliability: chooseUnreliability(chance),
    // Old code cannot go on with what new code began.
    isUpgraded: count === 1 && chance.is(0.7),
    onRunning: (jobId, body) => {
      if (signalled.has(jobId)) return;
      signalled.add(jobId);
      for (const signal of listSignals(body)) sendLater(runtime, operator.getHandle(jobId), signal);
    },
  });
  const runJob: RunJob = operator.remote('job');
  const retries = { maxAttempts, initialDelayMs: 5, maxDelayMs: 5, jitter: 0, timeoutMs: 60_000 };
  const handle = await runJob.callWithOptions([plan, 'root', 0], retries);
  if (mode === 'cancelled') runtime.setTimer(chance.int(0, 500), () => cancel(handle));
  await runUntilEnd(runtime, operator, () => processes.replenish(count));
  await judge({ operator, handle, plan, observer, mode });
  const stopped = Promise.all([processes.stopAll(), operator.stop()]);
  await runtime.advance(30_000);
  await stopped;
  if (runtime.pendingTimers > 0) observer.note(`${runtime.pendingTimers} timers are left`);
  return { violations: observer.violations, handlerRuns: observer.handlerRuns, processes: processes.started };
}

function chooseOptions(chance: Chance, runtime: DrivenRuntime): ReseolioOptions {
  return {
    runtime,
    leaseMs: 200,
    workerConcurrency: chance.int(1, 3),
    suspendAfterMs: chance.pick([0, 5, 50, 1000]),
    shutdownGraceMs: chance.pick([0, 50, 2000]),
  };
}

function chooseUnreliability(chance: Chance): Unreliability {
  return {
    errorProbability: chance.pick([0, 0, 0.05]),
    maxDelayMs: chance.pick([0, 0, 5, 30]),
    isHeartless: chance.is(0.15),
  };
}

function cancel(handle: JobHandle): void {
  // All may be over by then.
  handle.cancel({ running: true }).catch(() => {});
}

/** Until all jobs have ended, those too that nobody waits for any more. */
async function runUntilEnd(runtime: DrivenRuntime, operator: Reseolio, restart: () => Promise<void>): Promise<void> {
  for (let waitedMs = 0; waitedMs < END_MS; waitedMs += LOOK_MS) {
    await restart();
    await runtime.advance(LOOK_MS);
    const { total } = await operator.listJobs({ statuses: ['pending', 'running'], limit: 1 });
    if (total === 0) return;
  }
}

function sendLater(runtime: DrivenRuntime, handle: JobHandle, { name, payload, afterMs }: PlannedSignal): void {
  // The job may have ended: somebody else won a race.
  const send = (): void => void handle.signal(name, payload).catch(() => {});
  if (afterMs === 0) send();
  else runtime.setTimer(afterMs, send);
}

interface Judgement extends Pick<SimulationParams, 'mode'> {
  readonly operator: Reseolio;
  readonly handle: JobHandle;
  readonly plan: Block;
  readonly observer: Observer;
}

async function judge({ operator, handle, plan, observer, mode }: Judgement): Promise<void> {
  const { status, result } = await handle.details();
  if (status === 'success' && !isPossible(plan, result)) {
    observer.note(`the result ${JSON.stringify(result)} is not what the plan says`);
  }
  for (const { jobId, violation } of observer.calledAnew) {
    const ended = await operator.getHandle(jobId).status();
    if (ended !== 'dead' && ended !== 'cancelled') observer.note(violation);
  }
  const { jobs } = await operator.listJobs({ limit: 1000 });
  for (const { id, status: ended, error } of jobs) {
    if (ended === 'pending' || ended === 'running') observer.note(`${id} does not end`);
    if (ended === 'success' || error?.message === 'this one is to die') continue;
    const isMeant = mode === 'cancelled' && (ended === 'cancelled' || !error?.message.includes('nondeterminism'));
    if (!isMeant || error?.name === 'NondeterminismError') {
      observer.note(`${id} is ${ended}: ${error?.name} ${error?.message}`);
    }
  }
}
