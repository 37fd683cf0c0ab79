import { describe, expect, it } from 'vitest';
import type { Storage } from '../../../src/core/storage.ts';
import { freshSchema, open, urlWith } from '../../postgres/postgres-fixture.ts';
import { pause } from '../postgres/crash-run.ts';
import { stopNodes, untilCaughtUp } from './node-lives.ts';
import { findFiringErrors, readRuns, type ScheduleRun } from './occurrence-check.ts';
import type { ScheduleBug } from './planted-schedule-bugs.ts';
import { ScheduleNode } from './schedule-node.ts';
import { everySecond, everySeconds } from './timed-schedule.ts';

const SKEW_MS = 60_000;
const TOGETHER_MS = 10_000;
const ALONE_MS = 5000;
const CONTROL_MS = 2500;
/** On a machine that has other things to do. */
const MAX_LAG_MS = 5000;
const SHARED = [everySecond('shared-1'), everySeconds('shared-5', 5)];
const AHEAD = [everySecond('ahead-1'), everySeconds('ahead-5', 5)];
const BEHIND = [everySecond('behind-1'), everySeconds('behind-5', 5)];
const ALL = [...SHARED, ...AHEAD, ...BEHIND];

interface SkewedNodes {
  readonly right: ScheduleNode;
  readonly ahead: ScheduleNode;
  readonly behind: ScheduleNode;
}

/** Each declares the shared schedules; those whose clocks are wrong declare some of their own. */
async function startNodes(url: string, bug: ScheduleBug | null): Promise<SkewedNodes> {
  const right = new ScheduleNode({ url, shiftMs: 0, bug, schedules: SHARED });
  const ahead = new ScheduleNode({ url, shiftMs: SKEW_MS, bug, schedules: [...SHARED, ...AHEAD] });
  const behind = new ScheduleNode({ url, shiftMs: -SKEW_MS, bug, schedules: [...SHARED, ...BEHIND] });
  const nodes = [right, ahead, behind];
  await Promise.all(nodes.map(({ process }) => process.line('ready')));
  for (const { process } of nodes) process.say('declare');
  await Promise.all(nodes.map(({ process }) => process.line('all-declared')));
  return { right, ahead, behind };
}

async function readAll(storage: Storage, nodes: readonly ScheduleNode[], caughtUpAt: number): Promise<ScheduleRun[]> {
  const declaredAt = new Map<string, number>();
  for (const [name, at] of nodes.flatMap((node) => [...node.declaredAt])) {
    declaredAt.set(name, Math.min(at, declaredAt.get(name) ?? at));
  }
  return readRuns(storage, { schedules: ALL, declaredAt, caughtUpAt, maxLagMs: MAX_LAG_MS });
}

/** Each occurrence that was fired early enough has run once, and none before its time. */
function expectEachRanOnce(runs: readonly ScheduleRun[], nodes: readonly ScheduleNode[], caughtUpAt: number): void {
  const ran = nodes.flatMap((node) => node.ran);
  const keys = ran.map(({ scheduleId, dueAt }) => `${scheduleId} ${dueAt}`);
  expect(new Set(keys).size).toBe(keys.length);
  const fired = runs.flatMap(({ jobs }) => jobs).filter(({ createdAt }) => createdAt <= caughtUpAt);
  expect(keys).toEqual(
    expect.arrayContaining(fired.map(({ occurrence }) => `${occurrence?.scheduleId} ${occurrence?.dueAt}`)),
  );
  // The server is on the machine of this process, and has its clock.
  expect(ran.filter(({ at, dueAt }) => at < dueAt || at > dueAt + MAX_LAG_MS)).toEqual([]);
}

describe('three nodes whose clocks differ by a minute', () => {
  it('fire each occurrence once, at its time by the clock of the database, together and each alone', async () => {
    const url = urlWith({ schema: freshSchema() });
    const storage = await open(url);
    const { right, ahead, behind } = await startNodes(url, null);
    await pause(TOGETHER_MS);
    await stopNodes([right, behind]);
    const madeByAhead = ahead.madeCount;
    await pause(ALONE_MS);
    const behindAlone = new ScheduleNode({ url, shiftMs: -SKEW_MS, bug: null, schedules: [] });
    await behindAlone.process.line('ready');
    await stopNodes([ahead]);
    expect(ahead.madeCount - madeByAhead).toBeGreaterThan(ALONE_MS / 1000);
    await pause(ALONE_MS);
    const caughtUpAt = await untilCaughtUp(storage);
    await stopNodes([behindAlone]);
    expect(behindAlone.madeCount).toBeGreaterThan(ALONE_MS / 1000);
    const nodes = [right, ahead, behind, behindAlone];
    expect(nodes.flatMap(({ wrong }) => wrong)).toEqual([]);
    const runs = await readAll(storage, nodes, caughtUpAt);
    expect(runs.flatMap(findFiringErrors)).toEqual([]);
    expectEachRanOnce(runs, nodes, caughtUpAt);
    expect(runs[0]?.jobs.length).toBeGreaterThanOrEqual((TOGETHER_MS + 2 * ALONE_MS) / 1000);
  });

  it('are seen to fire and to begin at the wrong time when their own clocks decide', async () => {
    const url = urlWith({ schema: freshSchema() });
    const storage = await open(url);
    const { right, ahead, behind } = await startNodes(url, 'own-clock');
    const nodes = [right, ahead, behind];
    await pause(CONTROL_MS);
    await Promise.all([right, behind].map(({ process }) => process.kill()));
    await pause(CONTROL_MS);
    await ahead.process.kill();
    const { now } = await storage.listDueSchedules({ limit: 1 });
    const errors = (await readAll(storage, nodes, now - MAX_LAG_MS)).flatMap(findFiringErrors).join('\n');
    expect(errors).toMatch(/ahead-1: \S+ is lost/);
    expect(errors).toMatch(/behind-1: begins with \S+, before it was made/);
    expect(errors).toContain('before its time');
  });
});
