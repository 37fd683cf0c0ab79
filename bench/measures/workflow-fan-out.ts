import { Child } from '../child.ts';
import { atMost, type Figure, figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { FanOutAnswer } from '../processes/fan-out-process.ts';
import { median } from '../statistics.ts';

const CHILDREN_EACH = 10;
const CONCURRENCIES = [1, 10];
const PROCESS_COUNTS = [1, 3];
/** The time that the children alone need, so often. */
const GOAL = atMost(3);
/** Measured before the rounds that count, so that the figures are those of compiled code. */
const WARM_UPS = 2;

interface FanOut {
  readonly concurrency: number;
  readonly processes: number;
}

/** Parents that await children, in turn with the same children without parents: what a wait costs beside the work. */
export async function measureWorkflowFanOut(context: MeasureContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const processes of PROCESS_COUNTS) {
    for (const concurrency of CONCURRENCIES) figures.push(...(await measureOne(context, { concurrency, processes })));
  }
  return figures;
}

async function measureOne({ plan, storage }: MeasureContext, fanOut: FanOut): Promise<Figure[]> {
  const { concurrency, processes } = fanOut;
  const name = `fan_out_${processes}_${concurrency}`;
  const args = [storage.urlOf(name), String(concurrency), String(plan.fanOutParents), String(CHILDREN_EACH)];
  const children: Child[] = [];
  for (let i = 0; i < processes; i++) {
    const child = new Child({ program: 'processes/fan-out-process', args });
    await child.next();
    children.push(child);
  }
  // The others only work.
  const [caller] = children as [Child];
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = -WARM_UPS; round < plan.longRounds; round++) {
    const parentsMs = await run(caller, 'parents');
    const childrenMs = await run(caller, 'children');
    if (round < 0) continue;
    together.push(parentsMs);
    alone.push(childrenMs);
  }
  for (const child of children) {
    child.send('stop');
    await child.ended();
  }
  await storage.remove(name);
  return fanOutFigures(plan.fanOutParents, fanOut, alone, together);
}

async function run(child: Child, what: 'parents' | 'children'): Promise<number> {
  child.send(what);
  return (await child.next<FanOutAnswer>()).durationMs;
}

function fanOutFigures(
  parents: number,
  { concurrency, processes }: FanOut,
  alone: readonly number[],
  together: readonly number[],
): Figure[] {
  const where = `${processes === 1 ? '1 process' : `${processes} processes`}, ${concurrency} at once`;
  const perRound = (values: readonly number[]) => values.map((value) => ({ value, ratioToFloor: null }));
  return [
    figureOf({
      name: `${parents * CHILDREN_EACH} children alone, ${where}`,
      unit: 'ms',
      goal: null,
      rounds: perRound(alone),
    }),
    figureOf({
      name: `${parents} parents of ${CHILDREN_EACH} children, ${where}`,
      unit: 'ms',
      goal: null,
      rounds: perRound(together),
    }),
    figureOf({
      name: `parents over children alone, ${where}`,
      unit: 'x',
      goal: GOAL,
      rounds: perRound(together.map((value, i) => value / (alone[i] ?? median(alone)))),
    }),
  ];
}
