import { setTimeout } from 'node:timers/promises';
import type { Reseolio } from '../../src/index.ts';
import { leaveParent, tellParent } from '../parent.ts';
import { readPrivateMebibytes, readResidentMebibytes, readWrittenMebibytes } from '../private-memory.ts';
import { ARGUMENTS, JOB_NAME, type Mail } from '../workload.ts';

export interface MemoryAnswer {
  /** Shared with no other process. */
  readonly privateMebibytes: number;
  /** The part of it that was written; the rest can be read from its file again. */
  readonly writtenMebibytes: number;
  /** With what it shares. */
  readonly residentMebibytes: number;
}

/** What is compiled or freed after the start has been by then. */
const SETTLING_MS = 300;

const BATCH_JOBS = 1000;

/**
 * Sends its memory: `node memory-process.js [url [jobs]]`. With a URL it opens a client there, as a program would, and with
 * a number of jobs it has run as many; without, it is a bare process that loads nothing of the library.
 */
const [url, jobs = '0'] = process.argv.slice(2);
if (url === undefined) {
  await settleAndTell();
} else {
  const { Reseolio } = await import('../../src/index.ts');
  const reseolio = new Reseolio({ storage: url });
  await reseolio.start();
  if (Number(jobs) > 0) await runJobs(reseolio, Number(jobs));
  await settleAndTell();
  await reseolio.stop();
}
leaveParent();

async function runJobs(reseolio: Reseolio, count: number): Promise<void> {
  const sendEmail = reseolio.durable(JOB_NAME, async (_to: string, _mail: Mail) => {});
  let successes = 0;
  const ended = new Promise<void>((resolve) => {
    reseolio.on('job:success', () => {
      if (++successes === count) resolve();
    });
  });
  const calls = Array.from({ length: BATCH_JOBS }, () => ARGUMENTS);
  for (let left = count; left > 0; left -= BATCH_JOBS) await sendEmail.enqueueMany(calls.slice(0, left));
  await ended;
}

async function settleAndTell(): Promise<void> {
  await setTimeout(SETTLING_MS);
  const answer: MemoryAnswer = {
    privateMebibytes: readPrivateMebibytes('self'),
    writtenMebibytes: readWrittenMebibytes('self'),
    residentMebibytes: readResidentMebibytes('self'),
  };
  await tellParent(answer);
}
