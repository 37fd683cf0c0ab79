import { Child } from '../child.ts';
import { startClient } from '../client.ts';
import { type Figure, figureOf, type Goal, type Round } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { DrainAnswer } from '../processes/drain-process.ts';
import { besideFloor, ratioRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';
import { countWritten } from '../written-bytes.ts';

const BATCH_JOBS = 10_000;
/** Drained beforehand, elsewhere, so that the figure is that of compiled code. */
const WARM_UP_JOBS = 10_000;

interface DrainRound extends Pick<DrainAnswer, 'durationMs' | 'cpuMicros' | 'serverCpuMicros'> {
  readonly floorMs: number;
  /** For the whole life of the jobs; null where that is not known. */
  readonly writtenBytes: number | null;
}

/** In turn on a storage that is empty before, and on one where very many jobs wait that stay. */
export async function measureDrain(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const waiting = plan.backlogs.at(-1) as number;
  const [alone, behind]: [DrainRound[], DrainRound[]] = [[], []];
  await fill(storage.urlOf('waiting'), waiting);
  for (let round = 0; round < plan.longRounds; round++) {
    alone.push(await drainRound(context, `measured_${round}`));
    await storage.remove(`measured_${round}`);
    behind.push(await drainRound(context, 'waiting'));
  }
  const { backlogDrain } = GOALS[storage.kind];
  const durations = (rounds: readonly DrainRound[]): Round[] =>
    rounds.map(({ durationMs }) => ({ value: durationMs, ratioToFloor: null }));
  return [
    ...drainFigures(context, alone),
    rateFigure(plan.drainJobs, `${waiting.toLocaleString('en')} more waiting`, behind, null),
    figureOf({
      name: 'drain, time with many waiting over none',
      unit: 'x',
      goal: backlogDrain,
      rounds: ratioRounds(durations(behind), durations(alone)),
    }),
  ];
}

/** Each has new jobs and a new worker process, the only one that has the storage open. */
async function drainRound(context: MeasureContext, name: string): Promise<DrainRound> {
  const { plan, storage } = context;
  const [warmUp, measured] = [storage.urlOf('warm_up'), storage.urlOf(name)];
  await fill(warmUp, WARM_UP_JOBS);
  const args = [warmUp, String(WARM_UP_JOBS), measured, String(plan.drainJobs)];
  if (storage.kind === 'postgres' && storage.serverPid !== null) args.push(String(storage.serverPid));
  const enqueued = await countWritten(storage, () => fill(measured, plan.drainJobs));
  const { result: drained, floorMs } = await besideFloor(context, () => countWritten(storage, () => drain(args)));
  const answer = drained.result;
  const drainedBytes = storage.kind === 'postgres' ? drained.bytes : answer.writtenBytes;
  const isKnown = enqueued.bytes !== null && drainedBytes !== null;
  return { ...answer, floorMs, writtenBytes: isKnown ? enqueued.bytes + drainedBytes : null };
}

function rateFigure(jobs: number, name: string, rounds: readonly DrainRound[], goal: Goal | null): Figure {
  return figureOf({
    name: `drain, ${name}`,
    unit: 'jobs/s',
    goal,
    rounds: rounds.map(({ durationMs, floorMs }) => {
      const value = (jobs * 1000) / durationMs;
      return { value, ratioToFloor: (value * floorMs) / 1000 };
    }),
  });
}

function drainFigures({ plan, storage }: MeasureContext, rounds: readonly DrainRound[]): Figure[] {
  const { drain: rateGoal, drainCpuMicros } = GOALS[storage.kind];
  const cpuFigure = (name: string, micros: (round: DrainRound) => number, goal: Goal | null): Figure =>
    figureOf({
      name: `drain, ${name}`,
      unit: 'µs',
      goal,
      rounds: rounds.map((round) => ({ value: micros(round) / plan.drainJobs, ratioToFloor: null })),
    });
  const figures = [rateFigure(plan.drainJobs, '1 worker, 100 at once', rounds, rateGoal)];
  const written = rounds.flatMap(({ writtenBytes }) => (writtenBytes === null ? [] : [writtenBytes / plan.drainJobs]));
  if (written.length > 0) {
    figures.push(
      figureOf({
        name: 'written for a job, from enqueue to result',
        unit: 'bytes',
        goal: null,
        rounds: written.map((value) => ({ value, ratioToFloor: null })),
      }),
    );
  }
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
