import { setTimeout } from 'node:timers/promises';
import { Child } from '../child.ts';
import { type SendEmail, startClient } from '../client.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { IdleAnswer, RunAnswer } from '../processes/wake-up-process.ts';
import { besideFloor } from '../rounds.ts';
import { sharedClockMs } from '../shared-clock.ts';
import { quantile } from '../statistics.ts';
import { ARGUMENTS } from '../workload.ts';

interface Rhythm {
  readonly name: string;
  /** Before each enqueue. The worker is idle again by then. */
  readonly pauseMs: { readonly min: number; readonly max: number };
  /** Wake-ups, as a share of those that the plan has for a round. */
  readonly share: number;
}

const OFTEN: Rhythm = { name: 'wake-up of another process', pauseMs: { min: 5, max: 25 }, share: 1 };

/** Postgres tells others at once only when it has told nothing for a while, so two rhythms are two figures. */
const RARELY: Rhythm = { name: 'wake-up after a quiet 100 ms', pauseMs: { min: 100, max: 120 }, share: 0.2 };

interface WakeUpRound {
  readonly latencies: readonly number[];
  readonly floorMs: number;
}

export async function measureWakeUp(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const url = storage.urlOf('shared');
  const { reseolio, sendEmail } = await startClient(url, 0);
  const serverPid = storage.kind === 'postgres' ? storage.serverPid : null;
  const args = [url, String(plan.idleMs), String(serverPid ?? '')];
  const worker = new Child({ program: 'processes/wake-up-process', args });
  await worker.next();
  await wakeUp(sendEmail, worker);
  const often = await wakeUpRounds(context, OFTEN, sendEmail, worker);
  const rarely = storage.kind === 'postgres' ? await wakeUpRounds(context, RARELY, sendEmail, worker) : null;
  worker.send('idle');
  const { cpuMicros, serverCpuMicros, durationMs } = await worker.next<IdleAnswer>();
  worker.send('stop');
  await worker.ended();
  await reseolio.stop();
  return [
    wakeUpFigure(OFTEN, often, 0.5, null),
    wakeUpFigure(OFTEN, often, 0.95, GOALS[storage.kind].wakeUp),
    ...(rarely === null ? [] : [0.5, 0.95].map((share) => wakeUpFigure(RARELY, rarely, share, null))),
    idleFigure('idle worker, CPU time a second', cpuMicros / durationMs),
    ...(serverCpuMicros === null
      ? []
      : [idleFigure("idle worker, server's CPU time a second", serverCpuMicros / durationMs)]),
  ];
}

function idleFigure(name: string, value: number): Figure {
  return figureOf({ name, unit: 'ms', rounds: [{ value, ratioToFloor: null }], goal: null });
}

function wakeUpFigure({ name }: Rhythm, rounds: readonly WakeUpRound[], share: number, goal: Goal | null): Figure {
  return figureOf({
    name: `${name} p${share * 100}`,
    unit: 'ms',
    goal,
    rounds: rounds.map(({ latencies, floorMs }) => {
      const value = quantile(latencies, share);
      return { value, ratioToFloor: value / floorMs };
    }),
  });
}

async function wakeUpRounds(
  context: MeasureContext,
  rhythm: Rhythm,
  sendEmail: SendEmail,
  worker: Child,
): Promise<WakeUpRound[]> {
  const { pauseMs, share } = rhythm;
  const count = context.plan.wakeUpsPerRound * share;
  const rounds: WakeUpRound[] = [];
  for (let round = 0; round < context.plan.longRounds; round++) {
    const { result, floorMs } = await besideFloor(context, async () => {
      const latencies: number[] = [];
      for (let i = 0; i < count; i++) {
        await setTimeout(pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min));
        latencies.push(await wakeUp(sendEmail, worker));
      }
      return latencies;
    });
    rounds.push({ latencies: result, floorMs });
  }
  return rounds;
}

/** From the enqueue's end here to the handler's start there. */
async function wakeUp(sendEmail: SendEmail, worker: Child): Promise<number> {
  await sendEmail(...ARGUMENTS);
  const enqueuedAt = sharedClockMs();
  const { startedAt } = await worker.next<RunAnswer>();
  return startedAt - enqueuedAt;
}
