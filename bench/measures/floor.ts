import type { Figure } from '../figure.ts';
import { figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { quantile } from '../statistics.ts';

export async function measureFloor({ plan, floor }: MeasureContext): Promise<Figure[]> {
  const rounds = Array.from({ length: plan.rounds }, () => floor.sample(plan.roundMs / 2));
  return [0.5, 0.95].map((share) =>
    figureOf({
      name: `write + fdatasync p${share * 100}`,
      unit: 'ms',
      rounds: rounds.map((durations) => ({ value: quantile(durations, share), ratioToFloor: 1 })),
      goal: null,
    }),
  );
}
