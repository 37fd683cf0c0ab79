import { Child } from '../child.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { AsleepAnswer, AwakeAnswer } from '../processes/asleep-process.ts';

/** How long each workflow may take to fall asleep. */
const LEAD_MS_PER_WORKFLOW = 2;

interface AsleepRound {
  readonly empty: AsleepAnswer;
  readonly asleep: AsleepAnswer;
  readonly wakeMs: number;
}

/** A process beside very many workflows that sleep, one on a storage without any, and how soon all wake at one time. */
export async function measureWorkflowAsleep(context: MeasureContext): Promise<Figure[]> {
  const rounds: AsleepRound[] = [];
  for (let round = 0; round < context.plan.asleepRounds; round++) rounds.push(await measureRound(context, round));
  return asleepFigures(context, rounds);
}

async function measureRound({ plan, storage }: MeasureContext, round: number): Promise<AsleepRound> {
  const count = plan.asleepWorkflows;
  const dueAt = Date.now() + plan.asleepStartMs + LEAD_MS_PER_WORKFLOW * count + 2 * plan.asleepIdleMs;
  const open = async (name: string): Promise<Child> => {
    const args = [storage.urlOf(name), String(plan.asleepIdleMs)];
    const child = new Child({ program: 'processes/asleep-process', args });
    await child.next();
    return child;
  };
  const full = `asleep_${round}`;
  const filler = await open(full);
  await ask(filler, `fill ${count} ${dueAt}`);
  await stop(filler);
  // What it is compared with: a process that has just started as well.
  const emptyChild = await open('asleep_none');
  const empty = await ask<AsleepAnswer>(emptyChild, 'idle');
  await stop(emptyChild);
  const child = await open(full);
  const asleep = await ask<AsleepAnswer>(child, 'idle');
  if (Date.now() >= dueAt) throw new Error(`the workflows were not measured ${Date.now() - dueAt} ms after they woke`);
  const { endedAt } = await ask<AwakeAnswer>(child, `await ${count}`);
  await stop(child);
  await storage.remove(full);
  return { empty, asleep, wakeMs: endedAt - dueAt };
}

function asleepFigures({ plan, storage }: MeasureContext, rounds: readonly AsleepRound[]): Figure[] {
  const many = `${plan.asleepWorkflows.toLocaleString('en')} workflows asleep`;
  const goals = GOALS[storage.kind];
  const figure = (name: string, unit: string, goal: Goal | null, read: (round: AsleepRound) => number): Figure =>
    figureOf({ name, unit, goal, rounds: rounds.map((round) => ({ value: read(round), ratioToFloor: null })) });
  return [
    figure(`${many}, private memory over none`, 'MiB', goals.asleepMebibytes, ({ asleep, empty }) => {
      return asleep.privateMebibytes - empty.privateMebibytes;
    }),
    figure(`${many}, CPU time a second over none`, 'ms', goals.asleepCpu, ({ asleep, empty }) => {
      return asleep.idleCpuMs - empty.idleCpuMs;
    }),
    figure(`${many}, from one due time to the end of the last`, 'ms', goals.asleepWake, ({ wakeMs }) => wakeMs),
  ];
}

async function ask<Answer>(child: Child, message: string): Promise<Answer> {
  child.send(message);
  return child.next<Answer>();
}

async function stop(child: Child): Promise<void> {
  child.send('stop');
  await child.ended();
}
