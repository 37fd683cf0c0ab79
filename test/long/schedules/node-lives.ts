import { expect } from 'vitest';
import type { Storage } from '../../../src/core/storage.ts';
import { pause } from '../postgres/crash-run.ts';
import { ScheduleNode } from './schedule-node.ts';

const MAX_LIFE_MS = 1000;
/** A firing takes a few milliseconds. */
const MAX_FIRING_MS = 15;
/** Others may forestall a node for ever. */
const MAX_WAIT_FOR_FIRING_MS = 2500;
const CATCH_UP_MS = 20_000;

type Params = ConstructorParameters<typeof ScheduleNode>[0];

/** Starts a node, and kills it while it starts, at any moment later, or about the time of a firing, as chance has it. */
export async function liveAndDie(params: Params): Promise<ScheduleNode> {
  const node = start(params);
  const chance = Math.random();
  if (chance >= 0.1) await node.process.line('ready');
  if (chance < 0.3) await pause(Math.random() * MAX_LIFE_MS);
  else await firingOf(node, MAX_FIRING_MS);
  return die(node);
}

/** Starts a node, and kills it up to so many milliseconds after it has begun a firing. */
export async function fireAndDie(params: Params, withinMs: number): Promise<ScheduleNode> {
  const node = start(params);
  await node.process.line('ready');
  await firingOf(node, withinMs);
  return die(node);
}

function start(params: Params): ScheduleNode {
  const node = new ScheduleNode(params);
  node.process.say('declare');
  return node;
}

async function firingOf(node: ScheduleNode, maxMs: number): Promise<void> {
  await Promise.race([node.nextFiring(), pause(MAX_WAIT_FOR_FIRING_MS)]);
  await pause(Math.random() * maxMs);
}

async function die(node: ScheduleNode): Promise<ScheduleNode> {
  expect(node.process.process.exitCode, `it lives until it is killed: ${node.process.stderr}`).toBeNull();
  await node.process.kill();
  return node;
}

/** Resolves when all that is due is fired and has run, with what the storage's clock read by then. */
export async function untilCaughtUp(storage: Pick<Storage, 'listDueSchedules' | 'counts'>): Promise<number> {
  const deadline = performance.now() + CATCH_UP_MS;
  for (;;) {
    const { schedules, now } = await storage.listDueSchedules({ limit: 1 });
    const counts = await storage.counts();
    if (schedules.length === 0 && counts.every(({ pending, running }) => pending + running === 0)) return now;
    expect(performance.now(), 'all is fired and has run').toBeLessThan(deadline);
    await pause(20);
  }
}

export async function stopNodes(nodes: readonly ScheduleNode[]): Promise<void> {
  for (const { process } of nodes) process.say('stop');
  expect(await Promise.all(nodes.map(({ process }) => process.exited()))).toEqual(nodes.map(() => 0));
}
