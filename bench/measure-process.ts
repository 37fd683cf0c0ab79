import { join } from 'node:path';
import { type BenchPlan, benchPlan } from './bench-plan.ts';
import type { Figure } from './figure.ts';
import { openLmdbTarget } from './lmdb-target.ts';
import { MEASURES } from './measure-list.ts';
import { leaveParent, tellParent } from './parent.ts';
import type { PostgresTargetParams } from './postgres-target.ts';

/** What a process is to measure, its argument as JSON. */
export interface MeasureOrder {
  /** Of `MEASURES`. */
  readonly measure: string;
  readonly isQuick: boolean;
  readonly on:
    | { readonly kind: 'lmdb'; readonly directory: string }
    | ({ readonly kind: 'postgres' } & PostgresTargetParams);
}

/** Takes one measure in a process of its own, so that none inherits the heap or the compiled code of another. Sends its figures. */
const { measure: name, isQuick, on } = JSON.parse(process.argv[2] as string) as MeasureOrder;
await tellParent(
  on.kind === 'lmdb' ? await onLmdb(on.directory, benchPlan(isQuick)) : await onPostgres(on, benchPlan(isQuick)),
);
leaveParent();

async function onLmdb(directory: string, plan: BenchPlan): Promise<Figure[]> {
  const storage = openLmdbTarget(join(directory, name));
  const measure = await listed().lmdb?.();
  const figures = (await measure?.({ plan, storage })) ?? [];
  await storage.close();
  return figures;
}

async function onPostgres(params: PostgresTargetParams, plan: BenchPlan): Promise<Figure[]> {
  const { openPostgresTarget } = await import('./postgres-target.ts');
  const storage = await openPostgresTarget(params);
  const measure = await listed().postgres?.();
  const figures = (await measure?.({ plan, storage })) ?? [];
  await storage.close();
  return figures;
}

function listed() {
  const found = MEASURES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no measure ${name}`);
  return found;
}
