import { describe, expect, it, onTestFinished } from 'vitest';
import type { Storage } from '../../../src/core/storage.ts';
import { freshSchema, open, urlWith } from '../../postgres/postgres-fixture.ts';
import { openLmdb, temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { pause } from '../postgres/crash-run.ts';
import { fireAndDie, liveAndDie, stopNodes, untilCaughtUp } from './node-lives.ts';
import { findFiringErrors, readRuns, type ScheduleRun } from './occurrence-check.ts';
import { HALVES_APART_MS, type ScheduleBug } from './planted-schedule-bugs.ts';
import { ScheduleNode } from './schedule-node.ts';
import { everySecond, everySeconds } from './timed-schedule.ts';

const NODES = 3;
/** Twice, with a time between in which nothing runs. */
const RUN_MS = 10_000;
const OUTAGE_MS = 3500;
/** Most fall between the two steps of the planted bug. If none is noticed, the check is blind. */
const CONTROL_KILLS = 5;
const SCHEDULES = [
  everySecond('every-1'),
  everySecond('every-1-too'),
  everySeconds('every-2', 2),
  everySeconds('every-5', 5),
];

interface Place {
  readonly url: string;
  readonly storage: Storage;
}

async function openLmdbPlace(): Promise<Place> {
  const directory = temporaryDirectory();
  const storage = await openLmdb(directory);
  onTestFinished(() => storage.close());
  return { url: `lmdb://${directory}`, storage };
}

async function openPostgresPlace(): Promise<Place> {
  const url = urlWith({ schema: freshSchema() });
  return { url, storage: await open(url) };
}

/** Lets nodes live and die until `isOver`, as many at once as there are `nodes`; those that there were. */
async function killAgainAndAgain(
  nodes: number,
  start: () => Promise<ScheduleNode>,
  isOver: (kills: number) => boolean,
): Promise<ScheduleNode[]> {
  const dead: ScheduleNode[] = [];
  const lines = Array.from({ length: nodes }, async () => {
    while (!isOver(dead.length)) dead.push(await start());
  });
  await Promise.all(lines);
  return dead;
}

/** One last node fires what is left; then all the schedules are read. */
async function catchUp({ url, storage }: Place, declaredAt: ReadonlyMap<string, number>): Promise<ScheduleRun[]> {
  const last = new ScheduleNode({ url, shiftMs: 0, bug: null, schedules: SCHEDULES });
  await last.process.line('ready');
  const caughtUpAt = await untilCaughtUp(storage);
  await stopNodes([last]);
  expect(last.wrong).toEqual([]);
  return readRuns(storage, { schedules: SCHEDULES, declaredAt, caughtUpAt });
}

/** The first node makes the schedules. */
async function declare(url: string, bug: ScheduleBug | null): Promise<ReadonlyMap<string, number>> {
  const first = new ScheduleNode({ url, shiftMs: 0, bug, schedules: SCHEDULES });
  first.process.say('declare');
  await first.process.line('all-declared');
  await first.process.kill();
  return first.declaredAt;
}

describe.each([
  { backend: 'LMDB', openPlace: openLmdbPlace },
  { backend: 'Postgres', openPlace: openPostgresPlace },
])('kill -9 of schedulers at any moment, on $backend', ({ openPlace }) => {
  it(`loses and doubles no occurrence in twice ${RUN_MS / 1000} s of ${NODES} nodes`, async () => {
    const place = await openPlace();
    const params = { url: place.url, shiftMs: 0, bug: null, schedules: SCHEDULES };
    const declaredAt = await declare(place.url, null);
    const killForAWhile = async (): Promise<ScheduleNode[]> => {
      const untilMs = performance.now() + RUN_MS;
      return killAgainAndAgain(
        NODES,
        () => liveAndDie(params),
        () => performance.now() > untilMs,
      );
    };
    const dead = await killForAWhile();
    await pause(OUTAGE_MS);
    dead.push(...(await killForAWhile()));
    const runs = await catchUp(place, declaredAt);
    expect(runs.flatMap(findFiringErrors)).toEqual([]);
    expect(dead.flatMap(({ wrong }) => wrong)).toEqual([]);
    // Else they died at moments that are of no interest.
    expect(dead.filter(({ isFiring }) => isFiring).length).toBeGreaterThan(5);
    expect(runs[0]?.jobs.length).toBeGreaterThan((2 * RUN_MS + OUTAGE_MS) / 1000 - 2);
    const lags = runs[0]?.jobs.map(({ occurrence, createdAt }) => createdAt - (occurrence?.dueAt ?? 0)) ?? [];
    expect(Math.max(...lags), 'what was missed is made up for').toBeGreaterThan(OUTAGE_MS - 1000);
    expect(await place.storage.counts()).toMatchObject([{ name: 'tick', dead: 0, cancelled: 0 }]);
  });
});

describe('kill -9 of a scheduler on a storage that fires in two steps', () => {
  async function killTorn(bug: ScheduleBug): Promise<string[]> {
    const place = await openLmdbPlace();
    const params = { url: place.url, shiftMs: 0, bug, schedules: SCHEDULES };
    const declaredAt = await declare(place.url, bug);
    await killAgainAndAgain(
      1,
      () => fireAndDie(params, HALVES_APART_MS),
      (kills) => kills === CONTROL_KILLS,
    );
    return (await catchUp(place, declaredAt)).flatMap(findFiringErrors);
  }

  it('is seen to double occurrences when the jobs come first', async () => {
    expect((await killTorn('jobs-first')).join('\n')).toMatch(/came \d times/);
  });

  it('is seen to lose occurrences when the schedule goes on first', async () => {
    expect((await killTorn('advance-first')).join('\n')).toContain('is lost');
  });
});
