import { setTimeout } from 'node:timers/promises';
import { Reseolio, sleep } from '../../src/index.ts';
import { hearParent, leaveParent, tellParent } from '../parent.ts';
import { readPrivateMebibytes } from '../private-memory.ts';

export interface AsleepAnswer {
  readonly privateMebibytes: number;
  /** CPU time of this process a second, milliseconds. */
  readonly idleCpuMs: number;
}

export interface AwakeAnswer {
  /** When the last workflow had ended, durably, Unix milliseconds. */
  readonly endedAt: number;
}

const SETTLING_MS = 500;
const LOOK_MS = 50;
const CALLS_AT_ONCE = 1000;

/**
 * A process whose workflows sleep until one time: `node asleep-process.js <url> <idle ms>`. Messages: 'fill <count> <due
 * at>' calls workflows and answers when all are asleep; 'idle' answers what the process takes while nothing happens;
 * 'await <count>' answers when as many have ended; 'stop' ends it.
 */
const [url, idleMs] = process.argv.slice(2) as [string, string];
const reseolio = new Reseolio({ storage: url });
const sleeper = reseolio.durable('bench:sleeper', async (until: number) => {
  await sleep(new Date(until));
});
let ended = 0;
let onEnded = (): void => {};
reseolio.on('job:success', () => {
  ended++;
  onEnded();
});
await reseolio.start();
hearParent((message) => void act(message));
await tellParent({ isReady: true });

async function act(message: string): Promise<void> {
  const [what, ...numbers] = message.split(' ');
  const [count = 0, dueAt = 0] = numbers.map(Number);
  if (what === 'fill') await fill(count, dueAt);
  else if (what === 'idle') await tellParent(await idle());
  else if (what === 'await') await tellParent(await awaitEnd(count));
  else {
    await reseolio.stop();
    leaveParent();
  }
}

async function fill(count: number, dueAt: number): Promise<void> {
  const call: [number] = [dueAt];
  for (let called = 0; called < count; called += CALLS_AT_ONCE) {
    await sleeper.enqueueMany(Array.from({ length: Math.min(CALLS_AT_ONCE, count - called) }, () => call));
  }
  // The first that would run next is suspended when all are.
  for (let isAsleep = false; !isAsleep; await setTimeout(LOOK_MS)) {
    const { jobs } = await reseolio.listJobs({
      statuses: ['pending'],
      orderBy: 'scheduledAt',
      ascending: true,
      limit: 1,
    });
    const [running] = (await reseolio.counts()).map(({ running: amount }) => amount);
    isAsleep = running === 0 && jobs[0]?.isSuspended === true;
  }
  await tellParent({ isAsleep: true });
}

async function idle(): Promise<AsleepAnswer> {
  await setTimeout(SETTLING_MS);
  const before = process.cpuUsage();
  await setTimeout(Number(idleMs));
  const { user, system } = process.cpuUsage(before);
  return { privateMebibytes: readPrivateMebibytes('self'), idleCpuMs: (user + system) / Number(idleMs) };
}

async function awaitEnd(count: number): Promise<AwakeAnswer> {
  await new Promise<void>((resolve) => {
    onEnded = () => {
      if (ended >= count) resolve();
    };
    onEnded();
  });
  return { endedAt: Date.now() };
}
