import { startClient } from '../client.ts';
import type { Figure } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

export async function measureLoneEnqueue(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.storage.urlOf('filled'), 0);
  const rounds = await latencyRounds(context, () => sendEmail(...ARGUMENTS));
  await reseolio.stop();
  return [
    latencyFigure('lone enqueue', rounds, 0.5, GOALS[context.storage.kind].loneEnqueue),
    latencyFigure('lone enqueue', rounds, 0.95, null),
    latencyFigure('lone enqueue', rounds, 0.99, null),
  ];
}
