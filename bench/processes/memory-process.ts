import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { leaveParent, tellParent } from '../parent.ts';

export interface MemoryAnswer {
  readonly privateMebibytes: number;
}

/** What is compiled or freed after the start has been by then. */
const SETTLING_MS = 300;
const ROLLUP = '/proc/self/smaps_rollup';

/**
 * Sends its private memory: `node memory-process.js [directory]`. With a directory it opens a client there, as a
 * program would; without, it is a bare process that loads nothing of the library.
 */
const [directory] = process.argv.slice(2);
if (directory === undefined) {
  await settleAndTell();
} else {
  const { Reseolio } = await import('../../src/index.ts');
  const { storageUrl } = await import('../workload.ts');
  const reseolio = new Reseolio({ storage: storageUrl(directory) });
  await reseolio.start();
  await settleAndTell();
  await reseolio.stop();
}
leaveParent();

async function settleAndTell(): Promise<void> {
  await setTimeout(SETTLING_MS);
  await tellParent({ privateMebibytes: privateBytes() / 2 ** 20 } satisfies MemoryAnswer);
}

/** Memory that no other process shares; the resident size where the system does not tell. */
function privateBytes(): number {
  if (!existsSync(ROLLUP)) return process.memoryUsage.rss();
  const kilobytes = [...readFileSync(ROLLUP, 'utf8').matchAll(/^Private_\w+:\s+(\d+) kB$/gm)];
  return kilobytes.reduce((sum, [, amount]) => sum + Number(amount) * 1024, 0);
}
