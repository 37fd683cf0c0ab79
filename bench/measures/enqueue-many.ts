import { startClient } from '../client.ts';
import { type Figure, figureOf } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { rateRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

const CALLS = Array.from({ length: 1000 }, () => ARGUMENTS);

export async function measureEnqueueMany(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.storage.urlOf('filled'), 0);
  const rounds = await rateRounds(context, async () => {
    const end = performance.now() + context.plan.roundMs;
    let jobs = 0;
    while (performance.now() < end) jobs += (await sendEmail.enqueueMany(CALLS)).length;
    return jobs;
  });
  await reseolio.stop();
  const goal = GOALS[context.storage.kind].enqueueMany;
  return [figureOf({ name: 'enqueueMany of 1000', unit: 'jobs/s', rounds, goal })];
}
