import { setTimeout } from 'node:timers/promises';
import { leaveParent, tellParent } from '../parent.ts';
import { readPrivateMebibytes, readWrittenMebibytes } from '../private-memory.ts';

export interface MemoryAnswer {
  /** Shared with no other process. */
  readonly privateMebibytes: number;
  /** The part of it that was written; the rest can be read from its file again. */
  readonly writtenMebibytes: number;
}

/** What is compiled or freed after the start has been by then. */
const SETTLING_MS = 300;

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
  const answer: MemoryAnswer = {
    privateMebibytes: readPrivateMebibytes('self'),
    writtenMebibytes: readWrittenMebibytes('self'),
  };
  await tellParent(answer);
}
