import { Backlog, claimRounds } from '../backlog.ts';
import { type Figure, figureOf, type Round } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { ratioRounds } from '../rounds.ts';

/** Claims of 100 on the storage itself, in turn on short and long backlogs. */
export async function measureBacklogClaim(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const backlogs: Backlog[] = [];
  for (const jobs of plan.backlogs) backlogs.push(await Backlog.build(storage.urlOf(`backlog_${jobs}`), jobs));
  const rounds = await claimRounds(context, backlogs);
  for (const backlog of backlogs) await backlog.close();
  return [
    ...plan.backlogs.map((jobs, at) =>
      figureOf({
        name: `claim of 100, ${jobs.toLocaleString('en')} waiting, p50`,
        unit: 'ms',
        goal: null,
        load: jobs,
        rounds: rounds[at] as Round[],
      }),
    ),
    figureOf({
      name: 'claim, many waiting over few waiting',
      unit: 'x',
      goal: GOALS[storage.kind].backlogClaim,
      rounds: ratioRounds(rounds.at(-1) as Round[], rounds[0] as Round[]),
    }),
  ];
}
