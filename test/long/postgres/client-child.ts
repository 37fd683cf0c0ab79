import { currentJob, Reseolio } from '../../../src/index.ts';
import { report } from '../../processes/report.ts';

/**
 * A node with the whole client: `node client-child.js <storage URL> <lease ms> [<name>]`. Runs echoes at once and holds on
 * to what it is given to hold; told `call`, calls echo all the time and waits for the results, until it is told
 * `quiet`; told `stop`, stops.
 *
 *   enqueued <id>              a call was acknowledged
 *   result <id> <value> <ms>   and had this result, so long after it was called
 *   rejected <ms> <reason>     a call was rejected
 *   ran <id> <attempt>         a handler was called
 *   holding <id> <attempt>
 */
const [url, leaseMs, name = 'node'] = process.argv.slice(2) as [string, string, string?];
/** Each waits for its result before its next call. */
const CALLERS = 4;

const reseolio = new Reseolio({ storage: url, leaseMs: Number(leaseMs), shutdownGraceMs: 2000 });
reseolio.on('storage:error', ({ operation, error, isFinal }) =>
  report(`storage-error ${operation} ${isFinal ? 'final' : 'passing'} ${String(error)}`),
);

const echo = reseolio.durable(`echo`, async (text: string) => {
  const { id, attempt } = currentJob();
  report(`ran ${id} ${attempt}`);
  return text;
});
reseolio.durable('hold', async () => {
  const { id, attempt, signal } = currentJob();
  report(`holding ${id} ${attempt}`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
});

let isCalling = false;

async function callForAsLongAsToldTo(caller: number): Promise<void> {
  for (let i = 0; isCalling; i++) {
    const text = `${name}/${caller}/${i}`;
    const calledAt = performance.now();
    try {
      const handle = await echo(text);
      report(`enqueued ${handle.jobId}`);
      const value = await handle.result();
      report(`result ${handle.jobId} ${value === text} ${Math.round(performance.now() - calledAt)}`);
    } catch (error) {
      report(`rejected ${Math.round(performance.now() - calledAt)} ${String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

let calls: Promise<unknown> = Promise.resolve();
const commands: Record<string, () => Promise<void>> = {
  async call() {
    isCalling = true;
    calls = Promise.all(Array.from({ length: CALLERS }, (_, caller) => callForAsLongAsToldTo(caller)));
  },
  async quiet() {
    isCalling = false;
    await calls;
    report('quiet');
  },
  async stop() {
    await reseolio.stop();
    report('stopped');
    process.stdin.destroy();
  },
};

await reseolio.start();
report('ready');
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const command of text.trim().split('\n')) void commands[command]?.();
});
