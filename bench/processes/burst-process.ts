import { Reseolio } from '../../src/index.ts';
import { leaveParent, tellParent } from '../parent.ts';
import { readServerCpuMicros } from '../server-cpu.ts';

export interface BurstAnswer {
  /** When the last was told to be stored, Unix milliseconds. */
  readonly endedAt: number;
  /** User and system time of this process since it was ready, all its threads. */
  readonly cpuMicros: number;
  /** Of the server's processes. Null: there is no server, or its time cannot be read. */
  readonly serverCpuMicros: number | null;
}

/**
 * A process that runs nothing but fires schedules: `node burst-process.js <url> <schedules>
 * [postmaster]`. Says when it is ready, and what it took once as many have fired.
 */
const [url, schedules, postmaster] = process.argv.slice(2) as [string, string, string?];
const serverPid = postmaster === undefined ? null : Number(postmaster);
const reseolio = new Reseolio({ storage: url, workerConcurrency: 0 });
const ended = new Promise<number>((resolve) => {
  let left = Number(schedules);
  // Comes once the job is durable.
  reseolio.on('schedule:fire', () => {
    if (--left === 0) resolve(Date.now());
  });
});
await reseolio.start();
const serverBefore = readServerCpuMicros(serverPid);
const cpuBefore = process.cpuUsage();
await tellParent({ isReady: true });
const endedAt = await ended;
const { user, system } = process.cpuUsage(cpuBefore);
const serverCpuMicros = serverBefore === null ? null : (readServerCpuMicros(serverPid) ?? 0) - serverBefore;
await tellParent({ endedAt, cpuMicros: user + system, serverCpuMicros } satisfies BurstAnswer);
await reseolio.stop();
leaveParent();
