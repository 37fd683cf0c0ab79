import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { leaveParent, tellParent } from '../parent.ts';

export interface MemoryAnswer {
  /** Shared with no other process. */
  readonly privateMebibytes: number;
  /** The part of it that was written; the rest can be read from its file again. */
  readonly writtenMebibytes: number;
}

/** What is compiled or freed after the start has been by then. */
const SETTLING_MS = 300;
const ROLLUP = '/proc/self/smaps_rollup';

/**
 * Sends its private memory: `node memory-process.js [url]`. With a URL it opens a client there, as a program would; without, it is a bare process that loads nothing of the library.
 */
const [url] = process.argv.slice(2);
if (url === undefined) {
  await settleAndTell();
} else {
  const { Reseolio } = await import('../../src/index.ts');
  const reseolio = new Reseolio({ storage: url });
  await reseolio.start();
  await settleAndTell();
  await reseolio.stop();
}
leaveParent();

async function settleAndTell(): Promise<void> {
  await setTimeout(SETTLING_MS);
  await tellParent(readMemory());
}

/** The resident size stands for both where the system does not tell. */
function readMemory(): MemoryAnswer {
  if (!existsSync(ROLLUP)) {
    const resident = process.memoryUsage.rss() / 2 ** 20;
    return { privateMebibytes: resident, writtenMebibytes: resident };
  }
  const rollup = readFileSync(ROLLUP, 'utf8');
  return {
    privateMebibytes: sumMebibytes(rollup, /^Private_\w+:\s+(\d+) kB$/gm),
    writtenMebibytes: sumMebibytes(rollup, /^Private_Dirty:\s+(\d+) kB$/gm),
  };
}

function sumMebibytes(rollup: string, amounts: RegExp): number {
  return [...rollup.matchAll(amounts)].reduce((sum, [, kibibytes]) => sum + Number(kibibytes) / 1024, 0);
}
