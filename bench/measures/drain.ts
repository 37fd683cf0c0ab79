import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { startClient } from '../client.ts';
import { atLeast, atMost, type Figure, figureOf, type Round } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { DrainAnswer } from '../processes/drain-process.ts';
import { besideFloor } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

const BATCH_JOBS = 10_000;
/** Drained beforehand, elsewhere, so that the figure is that of compiled code. */
const WARM_UP_JOBS = 10_000;

/** Each round has a new backlog and a new worker process, the only one that has the storage open. */
export async function measureDrain(context: MeasureContext): Promise<Figure[]> {
  const { plan, directory } = context;
  const rates: Round[] = [];
  const cpuTimes: Round[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const warmUp = join(directory, `warm-up-${round}`);
    const measured = join(directory, `measured-${round}`);
    await fill(warmUp, WARM_UP_JOBS);
    await fill(measured, plan.drainJobs);
    const args = [warmUp, String(WARM_UP_JOBS), measured, String(plan.drainJobs)];
    const { result, floorMs } = await besideFloor(context, () => drain(args));
    const rate = (plan.drainJobs * 1000) / result.durationMs;
    rates.push({ value: rate, ratioToFloor: (rate * floorMs) / 1000 });
    cpuTimes.push({ value: result.cpuMicros / plan.drainJobs, ratioToFloor: null });
    rmSync(directory, { recursive: true });
  }
  return [
    figureOf({ name: 'drain, 1 worker, 100 at once', unit: 'jobs/s', rounds: rates, goal: atLeast(40_000) }),
    figureOf({ name: 'drain, CPU time a job', unit: 'µs', rounds: cpuTimes, goal: atMost(25) }),
  ];
}

async function fill(directory: string, jobs: number): Promise<void> {
  const { reseolio, sendEmail } = await startClient(directory, 0);
  const calls = Array.from({ length: BATCH_JOBS }, () => ARGUMENTS);
  for (let left = jobs; left > 0; left -= BATCH_JOBS) await sendEmail.enqueueMany(calls.slice(0, left));
  await reseolio.stop();
}

async function drain(args: readonly string[]): Promise<DrainAnswer> {
  const worker = new Child({ program: 'processes/drain-process', args });
  const answer = await worker.next<DrainAnswer>();
  await worker.ended();
  return answer;
}
