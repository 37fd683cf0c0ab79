import { Child } from '../child.ts';
import { type Figure, figureOf } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { makeSchedules } from '../new-schedules.ts';
import type { BurstAnswer } from '../processes/burst-process.ts';
import { besideFloor } from '../rounds.ts';

const SECOND_MS = 1000;
/** All schedules exist, and the process that fires them has started, this long after the first was begun. */
const START_MS = 2000;
const LEAD_MS_PER_SCHEDULE = 1;

interface BurstRound extends Pick<BurstAnswer, 'cpuMicros' | 'serverCpuMicros'> {
  readonly durationMs: number;
  readonly floorMs: number;
}

/** Each round has schedules of its own that are due in the same instant, and a new process, which alone fires them. */
export async function measureScheduleBurst(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const rounds: BurstRound[] = [];
  for (let round = 0; round < plan.longRounds; round++) {
    const name = `burst_${round}`;
    const { result, floorMs } = await besideFloor(context, () => fireBurst(context, storage.urlOf(name)));
    rounds.push({ ...result, floorMs });
    await storage.remove(name);
  }
  return burstFigures(context, rounds);
}

async function fireBurst({ plan, storage }: MeasureContext, url: string): Promise<Omit<BurstRound, 'floorMs'>> {
  const count = plan.burstSchedules;
  const leadMs = START_MS + count * LEAD_MS_PER_SCHEDULE;
  const dueAt = Math.ceil((Date.now() + leadMs) / SECOND_MS) * SECOND_MS;
  await makeSchedules(url, { count, nextRunAt: dueAt });
  const args = [url, String(count)];
  if (storage.kind === 'postgres' && storage.serverPid !== null) args.push(String(storage.serverPid));
  const firing = new Child({ program: 'processes/burst-process', args });
  await firing.next();
  if (Date.now() >= dueAt) {
    firing.kill();
    throw new Error(`the schedules were not ready ${leadMs} ms after they were begun`);
  }
  const { endedAt, cpuMicros, serverCpuMicros } = await firing.next<BurstAnswer>();
  await firing.ended();
  return { durationMs: endedAt - dueAt, cpuMicros, serverCpuMicros };
}

function burstFigures({ plan, storage }: MeasureContext, rounds: readonly BurstRound[]): Figure[] {
  const count = plan.burstSchedules;
  const cpuFigure = (name: string, micros: (round: BurstRound) => number): Figure =>
    figureOf({
      name: `burst, ${name} a schedule`,
      unit: 'µs',
      goal: null,
      rounds: rounds.map((round) => ({ value: micros(round) / count, ratioToFloor: null })),
    });
  const figures = [
    figureOf({
      name: `${count.toLocaleString('en')} schedules due at once, all stored`,
      unit: 'ms',
      goal: GOALS[storage.kind].scheduleBurst,
      rounds: rounds.map(({ durationMs, floorMs }) => ({ value: durationMs, ratioToFloor: durationMs / floorMs })),
    }),
    cpuFigure('CPU time', ({ cpuMicros }) => cpuMicros),
  ];
  if (rounds.every(({ serverCpuMicros }) => serverCpuMicros !== null))
    figures.push(cpuFigure("server's CPU time", ({ serverCpuMicros }) => serverCpuMicros ?? 0));
  return figures;
}
