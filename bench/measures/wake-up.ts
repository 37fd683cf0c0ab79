import { setTimeout } from 'node:timers/promises';
import { Child } from '../child.ts';
import { type SendEmail, startClient } from '../client.ts';
import { atMost, type Figure, figureOf, type Goal } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { IdleAnswer, RunAnswer } from '../processes/wake-up-process.ts';
import { besideFloor } from '../rounds.ts';
import { sharedClockMs } from '../shared-clock.ts';
import { quantile } from '../statistics.ts';
import { ARGUMENTS } from '../workload.ts';

/** The worker is idle again by then, whatever rhythm it has. */
const PAUSE_MS = { min: 5, max: 25 };

interface WakeUpRound {
  readonly latencies: readonly number[];
  readonly floorMs: number;
}

export async function measureWakeUp(context: MeasureContext): Promise<Figure[]> {
  const { plan, directory } = context;
  const { reseolio, sendEmail } = await startClient(directory, 0);
  const worker = new Child({ program: 'processes/wake-up-process', args: [directory, String(plan.idleMs)] });
  await worker.next();
  await wakeUp(sendEmail, worker);
  const rounds: WakeUpRound[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const { result, floorMs } = await besideFloor(context, () => wakeUps(sendEmail, worker, plan.wakeUpsPerRound));
    rounds.push({ latencies: result, floorMs });
  }
  worker.send('idle');
  const { cpuMicros, durationMs } = await worker.next<IdleAnswer>();
  worker.send('stop');
  await worker.ended();
  await reseolio.stop();
  return [
    wakeUpFigure(rounds, 0.5, null),
    wakeUpFigure(rounds, 0.95, atMost(10)),
    figureOf({
      name: 'idle worker, CPU time a second',
      unit: 'ms',
      rounds: [{ value: cpuMicros / durationMs, ratioToFloor: null }],
      goal: null,
    }),
  ];
}

function wakeUpFigure(rounds: readonly WakeUpRound[], share: number, goal: Goal | null): Figure {
  return figureOf({
    name: `wake-up of another process p${share * 100}`,
    unit: 'ms',
    goal,
    rounds: rounds.map(({ latencies, floorMs }) => {
      const value = quantile(latencies, share);
      return { value, ratioToFloor: value / floorMs };
    }),
  });
}

async function wakeUps(sendEmail: SendEmail, worker: Child, count: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let i = 0; i < count; i++) {
    await setTimeout(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
    latencies.push(await wakeUp(sendEmail, worker));
  }
  return latencies;
}

/** From the enqueue's end here to the handler's start there. */
async function wakeUp(sendEmail: SendEmail, worker: Child): Promise<number> {
  await sendEmail(...ARGUMENTS);
  const enqueuedAt = sharedClockMs();
  const { startedAt } = await worker.next<RunAnswer>();
  return startedAt - enqueuedAt;
}
