import { join } from 'node:path';
import { Child } from '../child.ts';
import { atMost, type Figure, figureOf, type Goal } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { MemoryAnswer } from '../processes/memory-process.ts';

/** Processes with a client and bare ones, in turn. */
export async function measureMemory({ plan, directory }: MeasureContext): Promise<Figure[]> {
  const bare: MemoryAnswer[] = [];
  const open: MemoryAnswer[] = [];
  for (let i = 0; i < plan.memoryProcesses; i++) {
    bare.push(await measureProcess([]));
    open.push(await measureProcess([join(directory, String(i))]));
  }
  const difference = (part: keyof MemoryAnswer) => open.map((answer, i) => answer[part] - (bare[i]?.[part] ?? 0));
  return [
    memoryFigure('private memory, bare process', onlyPrivate(bare), null),
    memoryFigure('private memory, open client', onlyPrivate(open), null),
    memoryFigure('private memory, difference', difference('privateMebibytes'), atMost(6)),
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
