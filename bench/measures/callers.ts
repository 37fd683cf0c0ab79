import { type SendEmail, startClient } from '../client.ts';
import { atLeast, type Figure, figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { rateRounds } from '../rounds.ts';
import { ARGUMENTS } from '../workload.ts';

const CALLERS = [
  { callers: 1, goal: null },
  { callers: 10, goal: null },
  { callers: 100, goal: atLeast(40_000) },
];

export async function measureCallers(context: MeasureContext): Promise<Figure[]> {
  const { reseolio, sendEmail } = await startClient(context.directory, 0);
  const figures: Figure[] = [];
  for (const { callers, goal } of CALLERS) {
    const rounds = await rateRounds(context, () => callAtOnce(sendEmail, callers, context.plan.roundMs));
    figures.push(figureOf({ name: `enqueues, ${callers} at once`, unit: '/s', rounds, goal }));
  }
  await reseolio.stop();
  return figures;
}

/** Each caller makes its next call when its last one is durable. Resolves with the number of calls. */
async function callAtOnce(sendEmail: SendEmail, callers: number, durationMs: number): Promise<number> {
  const end = performance.now() + durationMs;
  let calls = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        await sendEmail(...ARGUMENTS);
        calls++;
      }
    }),
  );
  return calls;
}
