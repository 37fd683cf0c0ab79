import { Reseolio } from '../../src/index.ts';
import { sendNothing } from '../client.ts';
import { leaveParent, tellParent } from '../parent.ts';
import { JOB_NAME, storageUrl } from '../workload.ts';

export interface DrainAnswer {
  readonly durationMs: number;
  /** User and system time of this process meanwhile, all its threads. */
  readonly cpuMicros: number;
}

const CONCURRENCY = 100;

/**
 * A worker process that drains one backlog to get warm, and a second one on the clock:
 * `node drain-process.js <directory> <jobs> <directory> <jobs>`. Sends the times of the second.
 */
async function drain(directory: string, jobs: number): Promise<DrainAnswer> {
  const reseolio = new Reseolio({ storage: storageUrl(directory), workerConcurrency: CONCURRENCY });
  await reseolio.start();
  const drained = new Promise<void>((resolve) => {
    let successes = 0;
    // Comes once the result is durable.
    reseolio.on('job:success', () => {
      if (++successes === jobs) resolve();
    });
  });
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  // Without a handler the worker claimed nothing, so the drain begins here.
  reseolio.durable(JOB_NAME, sendNothing);
  await drained;
  const cpu = process.cpuUsage(cpuBefore);
  const durationMs = performance.now() - startedAt;
  await reseolio.stop();
  return { durationMs, cpuMicros: cpu.user + cpu.system };
}

const [warmUp, warmUpJobs, measured, jobs] = process.argv.slice(2) as [string, string, string, string];
await drain(warmUp, Number(warmUpJobs));
await tellParent(await drain(measured, Number(jobs)));
leaveParent();
