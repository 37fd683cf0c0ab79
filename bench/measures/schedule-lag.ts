import { setTimeout } from 'node:timers/promises';
import { currentJob, Reseolio } from '../../src/index.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { besideFloor } from '../rounds.ts';
import { quantile } from '../statistics.ts';
import { fineWallClock } from '../wall-clock.ts';
import { JOB_NAME } from '../workload.ts';

const SECOND_MS = 1000;

/** When something happened to the job of an occurrence, Unix milliseconds. */
interface Sighting {
  readonly dueAt: number;
  readonly seenAt: number;
}

interface LagRound {
  readonly storedMs: readonly number[];
  readonly startedMs: readonly number[];
  readonly floorMs: number;
}

/** One schedule that is due every second, in a process that fires it and runs its jobs, and does nothing else. */
export async function measureScheduleLag(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  let clock = fineWallClock();
  const stored: Sighting[] = [];
  const started: Sighting[] = [];
  const reseolio = new Reseolio({ storage: storage.urlOf('beaten') });
  const beat = reseolio.durable(JOB_NAME, async () => {
    started.push({ dueAt: currentJob().occurrence?.dueAt ?? Number.NaN, seenAt: clock() });
  });
  reseolio.on('schedule:fire', ({ dueAt }) => stored.push({ dueAt, seenAt: clock() }));
  await reseolio.start();
  await beat.schedule({ cron: '* * * * * *' });
  const rounds: LagRound[] = [];
  for (let round = 0; round < plan.longRounds; round++) {
    const { result, floorMs } = await besideFloor(context, async () => {
      clock = fineWallClock();
      const from = Date.now();
      // The last occurrence has half a second to be run.
      await setTimeout(SECOND_MS * (plan.lagSeconds + 0.5) - (from % SECOND_MS));
      const until = from + plan.lagSeconds * SECOND_MS;
      return { storedMs: lagsOf(stored, from, until), startedMs: lagsOf(started, from, until) };
    });
    rounds.push({ ...result, floorMs });
  }
  await reseolio.stop();
  const { scheduleLag } = GOALS[storage.kind];
  const startedMs = (round: LagRound) => round.startedMs;
  return [
    lagFigure('from due to stored', rounds, ({ storedMs }) => storedMs, 0.5, null),
    lagFigure('from due to the handler', rounds, startedMs, 0.5, null),
    lagFigure('from due to the handler', rounds, startedMs, 0.95, scheduleLag),
    lagFigure('from due to the handler', rounds, startedMs, 0.99, null),
  ];
}

/** What was due before `from` had to wait for the floor's writes, which block the event loop. */
function lagsOf(sightings: readonly Sighting[], from: number, until: number): number[] {
  return sightings.filter(({ dueAt }) => dueAt > from && dueAt <= until).map(({ dueAt, seenAt }) => seenAt - dueAt);
}

function lagFigure(
  name: string,
  rounds: readonly LagRound[],
  lags: (round: LagRound) => readonly number[],
  share: number,
  goal: Goal | null,
): Figure {
  return figureOf({
    name: `schedule, ${name} p${share * 100}`,
    unit: 'ms',
    goal,
    rounds: rounds.map((round) => {
      const value = quantile(lags(round), share);
      return { value, ratioToFloor: value / round.floorMs };
    }),
  });
}
