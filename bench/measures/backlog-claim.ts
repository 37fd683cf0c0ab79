import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Backlog } from '../backlog.ts';
import { atMost, type Figure, figureOf, type Round } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { besideFloor } from '../rounds.ts';
import { median } from '../statistics.ts';

const FEW_JOBS = 1000;

/** Claims of 100 on the storage itself, in turn on a short and on a long backlog. */
export async function measureBacklogClaim(context: MeasureContext): Promise<Figure[]> {
  const { plan, directory } = context;
  mkdirSync(directory, { recursive: true });
  const few = await Backlog.build(join(directory, 'few'), FEW_JOBS);
  const many = await Backlog.build(join(directory, 'many'), plan.backlogJobs);
  const fewRounds: Round[] = [];
  const manyRounds: Round[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const { result, floorMs } = await besideFloor(context, () => claimInTurn(few, many, plan.claimsPerRound));
    fewRounds.push({ value: result.fewMs, ratioToFloor: result.fewMs / floorMs });
    manyRounds.push({ value: result.manyMs, ratioToFloor: result.manyMs / floorMs });
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
      goal: atMost(1.5),
    }),
  ];
}

function claimName(jobs: number): string {
  return `claim of 100, ${jobs.toLocaleString('en')} waiting, p50`;
}

async function claimInTurn(few: Backlog, many: Backlog, claims: number): Promise<{ fewMs: number; manyMs: number }> {
  const fewDurations: number[] = [];
  const manyDurations: number[] = [];
  for (let i = 0; i < claims; i++) {
    fewDurations.push(await few.timeClaim());
    manyDurations.push(await many.timeClaim());
  }
  return { fewMs: median(fewDurations), manyMs: median(manyDurations) };
}
