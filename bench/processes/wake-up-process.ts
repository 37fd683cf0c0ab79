import { setTimeout } from 'node:timers/promises';
import { Reseolio } from '../../src/index.ts';
import { hearParent, leaveParent, tellParent } from '../parent.ts';
import { readServerCpuMicros } from '../server-cpu.ts';
import { sharedClockMs } from '../shared-clock.ts';
import { JOB_NAME } from '../workload.ts';

/** Sent for each job. */
export interface RunAnswer {
  /** When the handler was called, on the shared clock. */
  readonly startedAt: number;
}

export interface IdleAnswer {
  readonly durationMs: number;
  readonly cpuMicros: number;
  /** Null: there is no server, or its time cannot be read. */
  readonly serverCpuMicros: number | null;
}

/** Whatever the last job left to do has been done by then. */
const SETTLING_MS = 500;

/**
 * A worker process that says when it began each job: `node wake-up-process.js <url> <idle ms>
 * <postmaster>`, the last one empty if its CPU time is not to be read. Told "idle", it sends what it cost to wait that
 * long for nothing.
 */
const [url, idleMs, postmaster] = process.argv.slice(2) as [string, string, string];
const serverPid = postmaster === '' ? null : Number(postmaster);
const reseolio = new Reseolio({ storage: url });
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
  const serverBefore = readServerCpuMicros(serverPid);
  const before = process.cpuUsage();
  await setTimeout(Number(idleMs));
  const { user, system } = process.cpuUsage(before);
  const durationMs = performance.now() - startedAt;
  const serverCpuMicros = serverBefore === null ? null : (readServerCpuMicros(serverPid) ?? 0) - serverBefore;
  await tellParent({ durationMs, cpuMicros: user + system, serverCpuMicros } satisfies IdleAnswer);
}

async function stop(): Promise<void> {
  await reseolio.stop();
  leaveParent();
}
