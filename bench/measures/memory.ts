import { Child } from '../child.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { MemoryAnswer } from '../processes/memory-process.ts';

/** Processes with a client and bare ones, in turn. All open one storage, which is there already, as a program would. */
export async function measureMemory({ plan, storage }: MeasureContext): Promise<Figure[]> {
  const url = storage.urlOf('opened');
  await measureProcess([url]);
  const bare: MemoryAnswer[] = [];
  const open: MemoryAnswer[] = [];
  for (let i = 0; i < plan.memoryProcesses; i++) {
    bare.push(await measureProcess([]));
    open.push(await measureProcess([url]));
  }
  const difference = (part: keyof MemoryAnswer) => open.map((answer, i) => answer[part] - (bare[i]?.[part] ?? 0));
  return [
    memoryFigure('private memory, bare process', onlyPrivate(bare), null),
    memoryFigure('private memory, open client', onlyPrivate(open), null),
    memoryFigure('private memory, difference', difference('privateMebibytes'), GOALS[storage.kind].memoryMebibytes),
    memoryFigure('written memory, difference', difference('writtenMebibytes'), null),
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
