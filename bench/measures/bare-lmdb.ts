import { join } from 'node:path';
import { open } from 'lmdb';
import type { Figure } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import type { LmdbTarget } from '../storage-under-test.ts';

/** About what a small job takes. */
const VALUE = Buffer.alloc(200, 1);

/** What LMDB itself needs for a durable write, with the settings of the library: the reference for a lone enqueue. */
export async function measureBareLmdb(context: MeasureContext<LmdbTarget>): Promise<Figure[]> {
  const database = open<Buffer, number>({
    path: join(context.storage.directory, 'bare'),
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
