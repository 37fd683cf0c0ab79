import { describe, expect, it } from 'vitest';
import { freshSchema, urlWith } from '../../postgres/postgres-fixture.ts';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { findTrailErrors, killsOf } from './check-trail.ts';
import { EFFECTS } from './order-plan.ts';
import { BUG_IN_LIFE, KILLED_WITH_BUG_AT, type WorkflowBug } from './planted-workflow-bugs.ts';
import type { TrailEntry } from './trail.ts';
import { liveUntilEnded } from './workflow-lives.ts';

/** Workflows that are under way at once, each in a storage of its own. */
const LANES = 4;
/** By how much later each life ends than the one before, where all are killed. */
const STRIDE = 4;

const noBug = (): null => null;

interface Backend {
  readonly backend: string;
  /** The URL of a fresh storage, which is removed when the test ends. */
  readonly freshUrl: () => string;
  /** Of the points in calls of the storage, each so-many-th is taken, other ones in each run; of all others each is. */
  readonly storageStride: number;
}

const LMDB: Backend = { backend: 'LMDB', freshUrl: () => `lmdb://${temporaryDirectory()}`, storageStride: 3 };
/** Each life makes a schema, which takes longer than all that it is made for. */
const POSTGRES: Backend = { backend: 'Postgres', freshUrl: () => urlWith({ schema: freshSchema() }), storageStride: 8 };

/** Runs all of `inputs`, some at once; what they came to. */
async function inLanes<Input, Output>(
  inputs: readonly Input[],
  run: (input: Input) => Promise<Output>,
): Promise<Output[]> {
  const outputs: Output[] = [];
  const queue = inputs.entries();
  const lanes = Array.from({ length: LANES }, async () => {
    for (const [at, input] of queue) outputs[at] = await run(input);
  });
  await Promise.all(lanes);
  return outputs;
}

/** All points of a workflow that nothing happens to. */
async function listPoints(freshUrl: () => string): Promise<readonly string[]> {
  const trail = await liveUntilEnded({ url: freshUrl(), killAt: () => null, bugIn: noBug });
  expect(findTrailErrors(trail)).toEqual([]);
  return trail.flatMap((entry) => (entry.kind === 'ended' ? entry.ending.points : []));
}

function describeErrors(trail: readonly TrailEntry[]): string[] {
  const kills = trail.flatMap((entry) => (entry.kind === 'killed' ? `${entry.point} (${entry.detail})` : []));
  return findTrailErrors(trail).map((error) => `killed at ${kills.join(', ')}: ${error}`);
}

describe.each([LMDB, POSTGRES])('kill -9 in a workflow, on $backend', ({ freshUrl, storageStride }) => {
  it('at any of its awaits: all that was done is done once, and the result is right', async () => {
    const all = await listPoints(freshUrl);
    const isInStorage = (point: string): boolean => point.startsWith('storage: ');
    const offset = Math.floor(Math.random() * storageStride);
    const taken = all.filter(isInStorage).filter((_, i) => i % storageStride === offset);
    const points = all.filter((point) => !isInStorage(point) || taken.includes(point));
    const trails = await inLanes(points, (point) =>
      liveUntilEnded({ url: freshUrl(), killAt: (life) => (life === 1 ? point : null), bugIn: noBug }),
    );
    expect(trails.flatMap(describeErrors)).toEqual([]);
    const kills = new Set(trails.flatMap(killsOf));
    const missed = points.filter((point) => !kills.has(point));
    // How many calls go together is up to chance.
    expect(missed.filter((point) => !isInStorage(point))).toEqual([]);
    expect(missed.length, `never came to ${missed.join(', ')}`).toBeLessThan(points.length / 10);
    for (const effect of EFFECTS) {
      for (const point of ['is awaited', 'begins', 'is done', 'is told']) expect(kills).toContain(`${effect} ${point}`);
    }
  });

  it('in each of its lives, a little later every time', async () => {
    const trails = await inLanes([1, 2, 3], (offset) =>
      liveUntilEnded({ url: freshUrl(), killAt: (life) => (life - 1) * STRIDE + offset * 2, bugIn: noBug }),
    );
    expect(trails.flatMap(describeErrors)).toEqual([]);
    for (const trail of trails) expect(killsOf(trail).length).toBeGreaterThan(12);
  });

  it.each([
    ['early-record', /"label" happened in life 2, and the handler knew it in life 1/],
    ['lost-step', /"label" happened in life 2, and the handler knew it in life 1/],
    ['no-replay', /"call of charge" came to .*, and in life 2 to/],
  ] satisfies [WorkflowBug, RegExp][])('is seen to do things again with the bug %s', async (bug, error) => {
    const killAt = (life: number): string | null => (life === 1 ? KILLED_WITH_BUG_AT : null);
    const bugIn = (life: number): WorkflowBug | null => (life === BUG_IN_LIFE[bug] ? bug : null);
    const trail = await liveUntilEnded({ url: freshUrl(), killAt, bugIn });
    expect(findTrailErrors(trail).join('\n')).toMatch(error);
  });
});
