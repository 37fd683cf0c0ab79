import { Child } from '../child.ts';
import { atMost, type Figure, figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { ReplayAnswer } from '../processes/replay-process.ts';
import { median } from '../statistics.ts';

const STEPS = 1000;
const REPLAYS = 5;
/** Milliseconds. */
const GOAL = atMost(50);

interface ReplayRound {
  readonly stepMs: number;
  /** The first of a process, and the median of those after it. */
  readonly coldMs: number;
  readonly warmMs: number;
}

/** One process records the steps, another replays them: first with code that it has never run, then with compiled code. */
export async function measureWorkflowReplay({ plan, storage }: MeasureContext): Promise<Figure[]> {
  const rounds: ReplayRound[] = [];
  for (let round = 0; round < plan.longRounds; round++) {
    const url = storage.urlOf(`replay_${round}`);
    const [recordedMs = 0] = await run(url, 0);
    const [coldMs = 0, ...warmMs] = await run(url, REPLAYS);
    rounds.push({ stepMs: recordedMs / STEPS, coldMs, warmMs: median(warmMs) });
    await storage.remove(`replay_${round}`);
  }
  const figure = (name: string, unit: string, read: (round: ReplayRound) => number, isGoal: boolean): Figure =>
    figureOf({
      name,
      unit,
      goal: isGoal ? GOAL : null,
      rounds: rounds.map((round) => ({ value: read(round), ratioToFloor: null })),
    });
  return [
    figure('a step that is done, one after the other', 'ms', ({ stepMs }) => stepMs, false),
    figure(`replay of ${STEPS} steps, first of a process`, 'ms', ({ coldMs }) => coldMs, true),
    figure(`replay of ${STEPS} steps, later ones`, 'ms', ({ warmMs }) => warmMs, true),
  ];
}

async function run(url: string, replays: number): Promise<readonly number[]> {
  const child = new Child({ program: 'processes/replay-process', args: [url, String(STEPS), String(replays)] });
  const { durationsMs } = await child.next<ReplayAnswer>();
  await child.ended();
  return durationsMs;
}
