import { Reseolio } from '../../../src/index.ts';
import { report } from '../../processes/report.ts';
import type { ParentsNodeParams } from './parents-node.ts';
import { CHILDREN_PER_PARENT, childOf } from './parents-plan.ts';

/**
 * A process that runs parents and their children: `node parents-child.js <ParentsNodeParams as JSON>`. Told anything, it
 * stops.
 *
 *   ready
 *   ran <child>      a handler was called
 */
const { url, workerConcurrency, suspendAfterMs } = JSON.parse(process.argv[2] as string) as ParentsNodeParams;

const reseolio = new Reseolio({ storage: url, workerConcurrency, suspendAfterMs });
const child = reseolio.durable('child', async (n: number) => {
  report(`ran ${n}`);
  return n;
});
reseolio.durable('parent', async (n: number) => {
  const indexes = Array.from({ length: CHILDREN_PER_PARENT }, (_, index) => index);
  return Promise.all(indexes.map(async (index) => (await child(childOf(n, index))).result()));
});
await reseolio.start();
process.stdin.once('data', () => void reseolio.stop().then(() => process.exit()));
report('ready');
