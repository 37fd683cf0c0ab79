import { startClient } from '../client.ts';
import { type Figure, figureOf } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { callAtOnce, rateRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

const CALLERS = [1, 10, 100];

export async function measureCallers(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.storage.urlOf('called'), 0);
  const figures: Figure[] = [];
  for (const callers of CALLERS) {
    const rounds = await rateRounds(context, () =>
      callAtOnce(() => sendEmail(...ARGUMENTS), callers, context.plan.roundMs),
    );
    const goal = callers === 100 ? GOALS[context.storage.kind].hundredCallers : null;
    figures.push(figureOf({ name: `enqueues, ${callers} at once`, unit: '/s', rounds, goal, load: callers }));
  }
  await reseolio.stop();
  return figures;
}
