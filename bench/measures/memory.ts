import { Child } from '../child.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { MemoryAnswer } from '../processes/memory-process.ts';

/** Bare processes, idle ones with a client, and such that have run jobs, in turn. All open one storage, which is there already. */
export async function measureMemory({ plan, storage }: MeasureContext): Promise<Figure[]> {
  const url = storage.urlOf('opened');
  await measureProcess([url]);
  const [bare, open, worked]: [MemoryAnswer[], MemoryAnswer[], MemoryAnswer[]] = [[], [], []];
  for (let i = 0; i < plan.memoryProcesses; i++) {
    bare.push(await measureProcess([]));
    open.push(await measureProcess([url]));
    worked.push(await measureProcess([url, String(plan.memoryJobs)]));
  }
  const over = (answers: readonly MemoryAnswer[], part: keyof MemoryAnswer) =>
    answers.map((answer, i) => answer[part] - (bare[i]?.[part] ?? 0));
  const jobs = `after ${plan.memoryJobs.toLocaleString('en')} jobs`;
  return [
    memoryFigure('private memory, bare process', onlyPrivate(bare), null),
    memoryFigure('private memory, open client', onlyPrivate(open), null),
    memoryFigure('private memory, difference', over(open, 'privateMebibytes'), GOALS[storage.kind].memoryMebibytes),
    memoryFigure('written memory, difference', over(open, 'writtenMebibytes'), null),
    memoryFigure('resident memory, difference', over(open, 'residentMebibytes'), null),
    memoryFigure(`private memory ${jobs}, difference`, over(worked, 'privateMebibytes'), null),
    memoryFigure(`resident memory ${jobs}, difference`, over(worked, 'residentMebibytes'), null),
  ];
}

function onlyPrivate(answers: readonly MemoryAnswer[]): number[] {
  return answers.map(({ privateMebibytes }) => privateMebibytes);
}

function memoryFigure(name: string, values: readonly number[], goal: Goal | null): Figure {
  return figureOf({ name, unit: 'MiB', goal, rounds: values.map((value) => ({ value, ratioToFloor: null })) });
}

async function measureProcess(args: readonly string[]): Promise<MemoryAnswer> {
  const child = new Child({ program: 'processes/memory-process', args });
  const answer = await child.next<MemoryAnswer>();
  await child.ended();
  return answer;
}
