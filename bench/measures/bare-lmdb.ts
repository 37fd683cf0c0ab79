import { open } from 'lmdb';
import type { Figure } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';

/** About what a small job takes. */
const VALUE = Buffer.alloc(200, 1);

/** What LMDB itself needs for a durable write, with the settings of the library: the reference for a lone enqueue. */
export async function measureBareLmdb(context: MeasureContext): Promise<Figure[]> {
  const database = open<Buffer, number>({
    path: context.directory,
    noSubdir: false,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  });
  let key = 0;
  const rounds = await latencyRounds(context, () => {
    database.transactionSync(() => {
      void database.put(++key, VALUE);
    });
  });
  await database.close();
  return [latencyFigure('bare LMDB commit', rounds, 0.5, null)];
}
