import { Child } from '../child.ts';
import { startClient } from '../client.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { DrainAnswer } from '../processes/drain-process.ts';
import { besideFloor } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

const BATCH_JOBS = 10_000;
/** Drained beforehand, elsewhere, so that the figure is that of compiled code. */
const WARM_UP_JOBS = 10_000;

interface DrainRound extends DrainAnswer {
  readonly floorMs: number;
}

/** Each round has a new backlog and a new worker process, the only one that has the storage open. */
export async function measureDrain(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const serverPid = storage.kind === 'postgres' ? storage.serverPid : null;
  const rounds: DrainRound[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const warmUp = storage.urlOf(`warm_up_${round}`);
    const measured = storage.urlOf(`measured_${round}`);
    await fill(warmUp, WARM_UP_JOBS);
    await fill(measured, plan.drainJobs);
    const args = [warmUp, String(WARM_UP_JOBS), measured, String(plan.drainJobs)];
    if (serverPid !== null) args.push(String(serverPid));
    const { result, floorMs } = await besideFloor(context, () => drain(args));
    rounds.push({ ...result, floorMs });
    await storage.remove(`warm_up_${round}`);
    await storage.remove(`measured_${round}`);
  }
  return drainFigures(context, rounds);
}

function drainFigures({ plan, storage }: MeasureContext, rounds: readonly DrainRound[]): Figure[] {
  const { drain: rateGoal, drainCpuMicros } = GOALS[storage.kind];
  const rates = rounds.map(({ durationMs, floorMs }) => {
    const value = (plan.drainJobs * 1000) / durationMs;
    return { value, ratioToFloor: (value * floorMs) / 1000 };
  });
  const cpuFigure = (name: string, micros: (round: DrainRound) => number, goal: Goal | null): Figure =>
    figureOf({
      name: `drain, ${name}`,
      unit: 'µs',
      goal,
      rounds: rounds.map((round) => ({ value: micros(round) / plan.drainJobs, ratioToFloor: null })),
    });
  const figures = [figureOf({ name: 'drain, 1 worker, 100 at once', unit: 'jobs/s', rounds: rates, goal: rateGoal })];
  if (storage.kind === 'lmdb') {
    figures.push(cpuFigure('CPU time a job', ({ cpuMicros }) => cpuMicros, drainCpuMicros));
    return figures;
  }
  if (storage.serverPid !== null) {
    const server = ({ serverCpuMicros }: DrainRound): number => serverCpuMicros ?? 0;
    figures.push(
      cpuFigure('CPU time a job', (round) => round.cpuMicros + server(round), drainCpuMicros),
      cpuFigure("server's CPU time a job", server, null),
    );
  }
  figures.push(cpuFigure("worker's CPU time a job", ({ cpuMicros }) => cpuMicros, null));
  return figures;
}

async function fill(url: string, jobs: number): Promise<void> {
  const { reseolio, sendEmail } = await startClient(url, 0);
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
