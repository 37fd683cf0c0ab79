import { startClient } from '../client.ts';
import type { Figure } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { latencyFigure, latencyRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

export async function measureRoundTrip(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.storage.urlOf('worked'), 10);
  const rounds = await latencyRounds(context, async () => {
    const handle = await sendEmail(...ARGUMENTS);
    await handle.result();
  });
  await reseolio.stop();
  return [
    latencyFigure('enqueue, run, result', rounds, 0.5, GOALS[context.storage.kind].roundTrip),
    latencyFigure('enqueue, run, result', rounds, 0.95, null),
  ];
}
