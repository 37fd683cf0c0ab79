import { type Figure, figureOf } from '../figure.ts';
import { sampleFloor } from '../floor.ts';
import type { MeasureContext } from '../measure-list.ts';
import { quantile } from '../statistics.ts';

export async function measureDiskFloor({ plan, storage }: MeasureContext): Promise<Figure[]> {
  const rounds: number[][] = [];
  for (let round = 0; round < plan.rounds; round++) rounds.push(await sampleFloor(storage.floor, plan.roundMs / 2));
  return [0.5, 0.95].map((share) =>
    figureOf({
      name: `write + fdatasync p${share * 100}`,
      unit: 'ms',
      rounds: rounds.map((durations) => ({ value: quantile(durations, share), ratioToFloor: 1 })),
      goal: null,
    }),
  );
}
