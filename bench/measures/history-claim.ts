import { Backlog, claimRounds } from '../backlog.ts';
import { atMost, type Figure, figureOf, type Round } from '../figure.ts';
import { insertHistory } from '../history.ts';
import type { MeasureContext } from '../measure-list.ts';
import { ratioRounds } from '../rounds.ts';
import type { PostgresTarget } from '../storage-under-test.ts';

const WAITING_JOBS = 1000;

/** Claims of 100 on the storage itself, in turn on one without and on one with a history. As many jobs wait in both. */
export async function measureHistoryClaim(context: MeasureContext<PostgresTarget>): Promise<Figure[]> {
  const { plan, storage } = context;
  const young = await Backlog.build(storage.urlOf('young'), WAITING_JOBS);
  const old = await Backlog.build(storage.urlOf('old'), WAITING_JOBS);
  await insertHistory(storage, 'old', plan.historyJobs);
  const [youngRounds, oldRounds] = (await claimRounds(context, [young, old])) as [Round[], Round[]];
  await young.close();
  await old.close();
  return [
    figureOf({ name: 'claim of 100, none finished, p50', unit: 'ms', rounds: youngRounds, goal: null }),
    figureOf({
      name: `claim of 100, ${plan.historyJobs.toLocaleString('en')} finished, p50`,
      unit: 'ms',
      rounds: oldRounds,
      goal: null,
    }),
    figureOf({
      name: 'claim, many finished over none finished',
      unit: 'x',
      rounds: ratioRounds(oldRounds, youngRounds),
      goal: atMost(1.2),
    }),
  ];
}
