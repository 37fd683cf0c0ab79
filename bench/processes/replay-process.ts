import { Reseolio, step, waitForSignal } from '../../src/index.ts';
import { leaveParent, tellParent } from '../parent.ts';

export interface ReplayAnswer {
  /** How long each run of the handler took to come behind the steps: the first run does them, the others replay them. */
  readonly durationsMs: readonly number[];
}

const LOOK_MS = 5;

/**
 * Runs a workflow of many steps that is then suspended and woken again and again: `node replay-process.js <url> <steps>
 * <replays>`. It goes on with one that another such process has left.
 */
const [url, steps, replays] = process.argv.slice(2) as [string, string, string];
const reseolio = new Reseolio({ storage: url, suspendAfterMs: 0 });
const durationsMs: number[] = [];
const workflow = reseolio.durable(
  'bench:steps',
  async () => {
    const startedAt = performance.now();
    for (let i = 0; i < Number(steps); i++) await step('count', () => i);
    durationsMs.push(performance.now() - startedAt);
    for (;;) await waitForSignal('again');
  },
  { timeoutMs: 600_000 },
);
await reseolio.start();
const handle = await workflow({ idempotencyKey: 'one' });
await settled();
while (durationsMs.length <= Number(replays)) {
  await handle.signal('again');
  await settled();
}
await tellParent({ durationsMs } satisfies ReplayAnswer);
await reseolio.stop();
leaveParent();

/** Resolves when the workflow has taken all signals, and is suspended. */
async function settled(): Promise<void> {
  for (;;) {
    const { isSuspended, runAt } = await handle.details();
    if (isSuspended && runAt > Date.now()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
