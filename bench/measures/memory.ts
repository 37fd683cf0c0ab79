import { join } from 'node:path';
import { Child } from '../child.ts';
import { atMost, type Figure, figureOf, type Goal } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import type { MemoryAnswer } from '../processes/memory-process.ts';

/** Processes with a client and bare ones, in turn. */
export async function measureMemory({ plan, directory }: MeasureContext): Promise<Figure[]> {
  const bare: number[] = [];
  const open: number[] = [];
  for (let i = 0; i < plan.memoryProcesses; i++) {
    bare.push(await measureProcess([]));
    open.push(await measureProcess([join(directory, String(i))]));
  }
  return [
    memoryFigure('private memory, bare process', bare, null),
    memoryFigure('private memory, open client', open, null),
    memoryFigure(
      'private memory, difference',
      open.map((value, i) => value - (bare[i] as number)),
      atMost(6),
    ),
  ];
}

function memoryFigure(name: string, values: readonly number[], goal: Goal | null): Figure {
  return figureOf({ name, unit: 'MiB', goal, rounds: values.map((value) => ({ value, ratioToFloor: null })) });
}

async function measureProcess(args: readonly string[]): Promise<number> {
  const child = new Child({ program: 'processes/memory-process', args });
  const { privateMebibytes } = await child.next<MemoryAnswer>();
  await child.ended();
  return privateMebibytes;
}
