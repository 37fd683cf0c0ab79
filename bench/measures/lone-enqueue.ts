import { startClient } from '../client.ts';
import { atMostTimesFloor, type Figure } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

export async function measureLoneEnqueue(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.directory, 0);
  const rounds = await latencyRounds(context, () => sendEmail(...ARGUMENTS));
  await reseolio.stop();
  return [
    latencyFigure('lone enqueue', rounds, 0.5, atMostTimesFloor(2.5)),
    latencyFigure('lone enqueue', rounds, 0.95, null),
    latencyFigure('lone enqueue', rounds, 0.99, null),
  ];
}
