import { Backlog, claimInTurn } from '../backlog.ts';
import { type Figure, figureOf, type Round } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { besideFloor } from '../rounds.ts';

const FEW_JOBS = 1000;

/** Claims of 100 on the storage itself, in turn on a short and on a long backlog. */
export async function measureBacklogClaim(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const few = await Backlog.build(storage.urlOf('few'), FEW_JOBS);
  const many = await Backlog.build(storage.urlOf('many'), plan.backlogJobs);
  const fewRounds: Round[] = [];
  const manyRounds: Round[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const {
      result: [fewMs, manyMs],
      floorMs,
    } = await besideFloor(context, () => claimInTurn(few, many, plan.claimsPerRound));
    fewRounds.push({ value: fewMs, ratioToFloor: fewMs / floorMs });
    manyRounds.push({ value: manyMs, ratioToFloor: manyMs / floorMs });
  }
  await few.close();
  await many.close();
  return [
    figureOf({ name: claimName(FEW_JOBS), unit: 'ms', rounds: fewRounds, goal: null }),
    figureOf({ name: claimName(plan.backlogJobs), unit: 'ms', rounds: manyRounds, goal: null }),
    figureOf({
      name: 'claim, many waiting over few waiting',
      unit: 'x',
      rounds: manyRounds.map(({ value }, i) => ({ value: value / (fewRounds[i] as Round).value, ratioToFloor: null })),
      goal: GOALS[storage.kind].backlogClaim,
    }),
  ];
}

function claimName(jobs: number): string {
  return `claim of 100, ${jobs.toLocaleString('en')} waiting, p50`;
}
