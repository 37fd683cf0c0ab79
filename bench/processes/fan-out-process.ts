import { type JobHandle, Reseolio } from '../../src/index.ts';
import { hearParent, leaveParent, tellParent } from '../parent.ts';

export interface FanOutAnswer {
  readonly durationMs: number;
}

/**
 * `node fan-out-process.js <url> <concurrency> <parents> <children of each>`. Says when it is ready; on 'parents' it calls
 * parents that call children, on 'children' as many children itself, and sends how long that took; ends on 'stop'.
 */
const [url, concurrency, parents, children] = process.argv.slice(2) as [string, string, string, string];
const reseolio = new Reseolio({ storage: url, workerConcurrency: Number(concurrency) });
const each = Array.from({ length: Number(children) }, (_, i): [number] => [i]);
const child = reseolio.durable('bench:child', async (n: number) => n);
const parent = reseolio.durable('bench:parent', async () => {
  await Promise.all(each.map(async ([n]) => (await child(n)).result()));
});
await reseolio.start();
hearParent((message) => void act(message));
await tellParent({ isReady: true });

async function act(message: string): Promise<void> {
  if (message === 'stop') {
    await reseolio.stop();
    leaveParent();
    return;
  }
  const startedAt = performance.now();
  const handles = message === 'parents' ? await callParents() : await callChildren();
  await Promise.all(handles.map((handle) => handle.result()));
  await tellParent({ durationMs: performance.now() - startedAt } satisfies FanOutAnswer);
}

function callParents(): Promise<JobHandle<void>[]> {
  return parent.enqueueMany(Array.from({ length: Number(parents) }, () => []));
}

/** As the parents would, all at once. */
async function callChildren(): Promise<JobHandle<number>[]> {
  const calls = Array.from({ length: Number(parents) }, () => child.enqueueMany(each));
  return (await Promise.all(calls)).flat();
}
