import { Reseolio } from '../../src/index.ts';
import { sendNothing } from '../client.ts';
import { leaveParent, tellParent } from '../parent.ts';
import { readServerCpuMicros } from '../server-cpu.ts';
import { JOB_NAME } from '../workload.ts';
import { readOwnWrittenBytes } from '../written-bytes.ts';

export interface DrainAnswer {
  readonly durationMs: number;
  /** User and system time of this process meanwhile, all its threads. */
  readonly cpuMicros: number;
  /** Of the server's processes. Null: there is no server, or its time cannot be read. */
  readonly serverCpuMicros: number | null;
  /** What this process has sent to disks meanwhile; null where that is not known. */
  readonly writtenBytes: number | null;
}

const CONCURRENCY = 100;

/**
 * A worker process that drains a storage to get warm, and takes jobs from a second one on the clock, which may have more:
 * `node drain-process.js <url> <jobs> <url> <jobs> [postmaster]`. Sends the times of the second.
 */
async function drain(url: string, jobs: number): Promise<DrainAnswer> {
  const reseolio = new Reseolio({ storage: url, workerConcurrency: CONCURRENCY });
  await reseolio.start();
  const drained = new Promise<void>((resolve) => {
    let successes = 0;
    // Comes once the result is durable.
    reseolio.on('job:success', () => {
      if (++successes === jobs) resolve();
    });
  });
  const startedAt = performance.now();
  const serverBefore = readServerCpuMicros(serverPid);
  const writtenBefore = readOwnWrittenBytes();
  const cpuBefore = process.cpuUsage();
  // Without a handler the worker claimed nothing, so the drain begins here.
  reseolio.durable(JOB_NAME, sendNothing);
  await drained;
  const cpu = process.cpuUsage(cpuBefore);
  const durationMs = performance.now() - startedAt;
  const serverCpuMicros = serverBefore === null ? null : (readServerCpuMicros(serverPid) ?? 0) - serverBefore;
  const writtenBytes = writtenBefore === null ? null : (readOwnWrittenBytes() ?? 0) - writtenBefore;
  await reseolio.stop();
  return { durationMs, cpuMicros: cpu.user + cpu.system, serverCpuMicros, writtenBytes };
}

const [warmUp, warmUpJobs, measured, jobs, postmaster] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string?,
];
const serverPid = postmaster === undefined ? null : Number(postmaster);
await drain(warmUp, Number(warmUpJobs));
await tellParent(await drain(measured, Number(jobs)));
leaveParent();
