import { startClient } from '../client.ts';
import { atMostTimesFloor, type Figure } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

export async function measureRoundTrip(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.directory, 10);
  const rounds = await latencyRounds(context, async () => {
    const handle = await sendEmail(...ARGUMENTS);
    await handle.result();
  });
  await reseolio.stop();
  return [
    latencyFigure('enqueue, run, result', rounds, 0.5, atMostTimesFloor(6)),
    latencyFigure('enqueue, run, result', rounds, 0.95, null),
  ];
}
