import { setTimeout } from 'node:timers/promises';
import { Reseolio } from '../../src/index.ts';
import { hearParent, leaveParent, tellParent } from '../parent.ts';
import { sharedClockMs } from '../shared-clock.ts';
import { JOB_NAME, storageUrl } from '../workload.ts';

/** Sent for each job. */
export interface RunAnswer {
  /** When the handler was called, on the shared clock. */
  readonly startedAt: number;
}

export interface IdleAnswer {
  readonly durationMs: number;
  readonly cpuMicros: number;
}

/** Whatever the last job left to do has been done by then. */
const SETTLING_MS = 500;

/**
 * A worker process that says when it began each job: `node wake-up-process.js <directory> <idle ms>`. Told "idle", it
 * sends what it cost to wait that long for nothing.
 */
const [directory, idleMs] = process.argv.slice(2) as [string, string];
const reseolio = new Reseolio({ storage: storageUrl(directory) });
reseolio.durable(JOB_NAME, async () => {
  const startedAt = sharedClockMs();
  await tellParent({ startedAt } satisfies RunAnswer);
});
hearParent((message) => void (message === 'idle' ? waitIdle() : stop()));
await reseolio.start();
await tellParent({ isReady: true });

async function waitIdle(): Promise<void> {
  await setTimeout(SETTLING_MS);
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await setTimeout(Number(idleMs));
  const { user, system } = process.cpuUsage(before);
  await tellParent({ durationMs: performance.now() - startedAt, cpuMicros: user + system } satisfies IdleAnswer);
}

async function stop(): Promise<void> {
  await reseolio.stop();
  leaveParent();
}
