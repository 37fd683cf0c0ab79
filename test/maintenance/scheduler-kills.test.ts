import { describe, expect, test } from 'vitest';
import type { FireSchedulesParams, FiringStatus } from '../../src/core/schedule-operations.ts';
import type { Storage } from '../../src/core/storage.ts';
import { createSchedulerFixture, occurrencesIn, type SchedulerFixture } from './scheduler-fixture.ts';

type ScheduleStorage = Pick<Storage, 'listDueSchedules' | 'fireSchedules'>;

const MINUTE_MS = 60_000;
const MINUTES = 12;
const CRONS = ['* * * * *', '*/3 * * * *'] as const;

/** Where a scheduler dies: at its n-th call, before or after that has taken effect. */
interface Death {
  readonly call: number;
  readonly isAfterEffect: boolean;
}

/** `storage` as a scheduler sees it that dies on the way: from then on nothing it calls has an effect, or an answer. */
function mortal(storage: ScheduleStorage, death: Death, onDeath: () => void): ScheduleStorage {
  let calls = 0;
  const call = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    calls++;
    if (calls < death.call) return run();
    if (calls === death.call) {
      if (death.isAfterEffect) await run();
      onDeath();
    }
    return new Promise<never>(() => {});
  };
  return {
    listDueSchedules: (params) => call(() => storage.listDueSchedules(params)),
    fireSchedules: (params) => call(() => storage.fireSchedules(params)),
  };
}

/** Schedulers that die one after the other at the same place of their lives, each followed by the next. */
async function liveThrough(death: Death, wrap: (fixture: SchedulerFixture) => ScheduleStorage) {
  const fixture = createSchedulerFixture();
  const { runtime } = fixture;
  const startedAt = runtime.now();
  const ids = await Promise.all(CRONS.map((cron) => fixture.create(cron, { catchUp: 'all' })));
  const storage = wrap(fixture);
  let deaths = 0;
  const startNext = (): void => {
    // One that dies at its first call over and over makes no headway, so in the end there is one that lives.
    if (deaths++ === 30) fixture.start(storage);
    else {
      const own = mortal(storage, death, () => void runtime.setTimer(20_000, startNext));
      startMortal(fixture, own);
    }
  };
  startNext();
  await runtime.advance(MINUTES * MINUTE_MS);
  fixture.start(storage);
  await runtime.advance(0);
  const made = await Promise.all(ids.map((id) => fixture.occurrencesOf(id)));
  const expected = CRONS.map((cron) => occurrencesIn(cron, 'UTC', startedAt, runtime.now()));
  return { made: made.map((each) => each.toSorted((a, b) => a - b)), expected, deaths };
}

/** One that waits for an answer for ever cannot be stopped, so nobody waits for it. */
function startMortal(fixture: SchedulerFixture, storage: ScheduleStorage): void {
  const loop = fixture.start(storage);
  loop.stop = async () => {};
}

const DEATHS: readonly Death[] = [1, 2, 3, 4, 5, 6, 7].flatMap((call) => [
  { call, isAfterEffect: false },
  { call, isAfterEffect: true },
]);

describe('schedulers that are killed', () => {
  test.each(DEATHS)('at call $call (after its effect: $isAfterEffect) lose and double nothing', async (death) => {
    const { made, expected, deaths } = await liveThrough(death, ({ storage }) => storage);
    expect(deaths).toBeGreaterThan(1);
    expect(made).toEqual(expected);
  });
});

/** Does in two calls what has to be one; a scheduler can die in between. */
function torn(
  fixture: SchedulerFixture,
  order: readonly ('jobs' | 'advance')[],
  isBetween: () => boolean,
): ScheduleStorage {
  const { storage } = fixture;
  return {
    listDueSchedules: (params) => storage.listDueSchedules(params),
    async fireSchedules({ firings }: Readonly<FireSchedulesParams>): Promise<FiringStatus[]> {
      for (const step of order) {
        for (const { scheduleId, jobs, nextRunAt } of firings) {
          const { schedule } = await storage.getSchedule({ idOrName: scheduleId });
          if (schedule === null) continue;
          // What is fired without going on is due as it was, under another revision.
          const next = step === 'jobs' ? schedule.nextRunAt : nextRunAt;
          await storage.fireSchedules({
            firings: [{ scheduleId, revision: schedule.revision, jobs: step === 'jobs' ? jobs : [], nextRunAt: next }],
          });
        }
        if (isBetween()) return new Promise<never>(() => {});
      }
      return firings.map(() => 'fired');
    },
  };
}

describe('the check notices a storage that', () => {
  /** Dies between the two halves of its third firing. */
  function third(): () => boolean {
    let halves = 0;
    return () => ++halves === 5;
  }

  async function tear(order: readonly ('jobs' | 'advance')[]) {
    const fixture = createSchedulerFixture();
    const { runtime } = fixture;
    const startedAt = runtime.now();
    const id = await fixture.create('* * * * *', { catchUp: 'all' });
    startMortal(fixture, torn(fixture, order, third()));
    await runtime.advance(5.5 * MINUTE_MS);
    fixture.start();
    await runtime.advance(MINUTE_MS);
    return {
      made: await fixture.occurrencesOf(id),
      expected: occurrencesIn('* * * * *', 'UTC', startedAt, runtime.now()),
    };
  }

  test('goes on before it makes the job: the occurrence is lost', async () => {
    const { made, expected } = await tear(['advance', 'jobs']);
    expect(made).not.toEqual(expected);
    expect(made.length).toBe(expected.length - 1);
  });

  test('makes the job before it goes on: the occurrence comes twice', async () => {
    const { made, expected } = await tear(['jobs', 'advance']);
    expect(made.length).toBe(expected.length + 1);
    expect(new Set(made).size).toBe(expected.length);
  });
});
