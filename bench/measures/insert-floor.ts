import { type Figure, figureOf } from '../figure.ts';
import { InsertFloor } from '../insert-floor.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import { quantile } from '../statistics.ts';
import type { PostgresTarget } from '../storage-under-test.ts';

/** The floor, and beside it, for information, the same with a statement that the server has prepared. */
export async function measureInsertFloor(context: MeasureContext<PostgresTarget>): Promise<Figure[]> {
  const { serverUrl, schemaOf } = context.storage;
  const prepared = await InsertFloor.open({ serverUrl, schema: schemaOf('floor'), isPrepared: true });
  const rounds = await latencyRounds(context, () => prepared.timeWrite());
  await prepared.close();
  return [
    ...[0.5, 0.95].map((share) =>
      figureOf({
        name: `INSERT commit p${share * 100}`,
        unit: 'ms',
        rounds: rounds.map(({ floorDurations }) => ({ value: quantile(floorDurations, share), ratioToFloor: 1 })),
        goal: null,
      }),
    ),
    latencyFigure('prepared INSERT commit', rounds, 0.5, null),
  ];
}
