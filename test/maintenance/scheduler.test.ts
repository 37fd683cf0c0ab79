import { describe, expect, test } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { createSchedulerFixture, DAY_MS, occurrencesIn } from './scheduler-fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('a scheduler', () => {
  test('fires each occurrence of years once, at its time, whatever the clocks of its zone do', async () => {
    const fixture = createSchedulerFixture();
    const { runtime, events } = fixture;
    const startedAt = runtime.now();
    const rules = [
      ['30 2 * * *', 'America/New_York'],
      ['0 2 * * *', 'Australia/Lord_Howe'],
      ['15 1 * * SUN', 'Europe/London'],
      ['0 0 L * *', 'Asia/Tokyo'],
      ['0 12 29 2 *', 'UTC'],
    ] as const;
    const ids = await Promise.all(rules.map(([cron, timezone]) => fixture.create(cron, { timezone })));
    fixture.start();
    for (let year = 0; year < 5; year++) await runtime.advance(366 * DAY_MS);
    for (const [i, [cron, timezone]] of rules.entries()) {
      const expected = occurrencesIn(cron, timezone, startedAt, runtime.now());
      expect(expected.length).toBeGreaterThan(0);
      expect(await fixture.occurrencesOf(ids[i] as string)).toEqual(expected);
    }
    expect(events.filter(([name, event]) => name !== 'schedule:fire' || event.lagMs > 0)).toEqual([]);
  });

  test('sleeps until the next is due and looks at nothing in between', async () => {
    const fixture = createSchedulerFixture();
    await fixture.create('0 0 1 * *');
    const looks: number[] = [];
    fixture.start({
      listDueSchedules: async (params) => {
        looks.push(fixture.runtime.now());
        return fixture.storage.listDueSchedules(params);
      },
      fireSchedules: (params) => fixture.storage.fireSchedules(params),
    });
    await fixture.runtime.advance(40 * DAY_MS);
    // At the start; at the end of what one timer holds; when it is due; and for what is due next.
    expect(looks.length).toBeLessThan(6);
  });

  test('looks every 15 seconds, in case a hint was lost', async () => {
    const fixture = createSchedulerFixture();
    fixture.start(undefined, 15_000);
    await fixture.runtime.advance(MINUTE_MS);
    const id = await fixture.create('* * * * * *');
    await fixture.runtime.advance(15_000);
    expect((await fixture.occurrencesOf(id)).length).toBeGreaterThan(0);
  });

  test('is woken by what is made in the meantime', async () => {
    const fixture = createSchedulerFixture();
    const scheduler = fixture.start();
    await fixture.runtime.advance(MINUTE_MS);
    const id = await fixture.create('*/5 * * * * *');
    scheduler.wake();
    scheduler.wake();
    await fixture.runtime.advance(10_000);
    expect(await fixture.occurrencesOf(id)).toHaveLength(2);
  });

  test('tells how late it fired, and what it skipped', async () => {
    const fixture = createSchedulerFixture();
    const startedAt = fixture.runtime.now();
    const id = await fixture.create('0 * * * *');
    await fixture.runtime.advance(3.5 * HOUR_MS);
    fixture.start();
    await fixture.runtime.advance(0);
    const told = { scheduleId: id, name: `schedule:${id}` };
    const jobId = expect.any(String);
    expect(fixture.events).toEqual([
      ['schedule:skip', { ...told, reason: 'missed', dueAt: startedAt + HOUR_MS }],
      ['schedule:fire', { ...told, jobId, dueAt: startedAt + 3 * HOUR_MS, lagMs: HOUR_MS / 2 }],
    ]);
  });

  test('makes up for all that was missed, up to the limit', async () => {
    const fixture = createSchedulerFixture();
    const startedAt = fixture.runtime.now();
    const all = await fixture.create('0 * * * *', { catchUp: 'all' });
    const some = await fixture.create('0 * * * *', { catchUp: 'all', catchUpLimit: 3 });
    const none = await fixture.create('0 * * * *', { catchUp: 'skip' });
    await fixture.runtime.advance(10.5 * HOUR_MS);
    fixture.start();
    await fixture.runtime.advance(HOUR_MS);
    const expected = occurrencesIn('0 * * * *', 'UTC', startedAt, fixture.runtime.now());
    expect(await fixture.occurrencesOf(all)).toEqual(expected);
    expect(await fixture.occurrencesOf(some)).toEqual(expected.slice(-4));
    expect(await fixture.occurrencesOf(none)).toEqual(expected.slice(-1));
  });

  test('fires thousands that are due at once, in bounded calls', async () => {
    const fixture = createSchedulerFixture();
    const ids = await Promise.all(Array.from({ length: 1200 }, () => fixture.create('0 0 * * *')));
    const dense = await fixture.create('* * * * *', { catchUp: 'all', catchUpLimit: 1000 });
    await fixture.runtime.advance(DAY_MS);
    const sizes: number[] = [];
    fixture.start({
      listDueSchedules: (params) => fixture.storage.listDueSchedules(params),
      fireSchedules: (params) => {
        sizes.push(params.firings.reduce((sum, { jobs }) => sum + jobs.length, 0));
        return fixture.storage.fireSchedules(params);
      },
    });
    await fixture.runtime.advance(1000);
    for (const id of ids)
      expect(await fixture.storage.getSchedule({ idOrName: id })).toMatchObject({ schedule: { revision: 2 } });
    expect(await fixture.occurrencesOf(dense)).toHaveLength(1000);
    expect(Math.max(...sizes)).toBeLessThan(2000);
  });

  test('goes on with the others when it cannot tell when one is due, and says so once', async () => {
    const fixture = createSchedulerFixture();
    const good = await fixture.create('0 * * * *');
    const bad = await fixture.create('0 * * * *');
    const { schedule } = await fixture.storage.getSchedule({ idOrName: bad });
    if (schedule === null) throw new Error('the schedule should be there');
    await fixture.storage.updateSchedule({ ...schedule, definition: { ...schedule, timezone: 'Mars/Olympus' } });
    fixture.start(undefined, 15_000);
    await fixture.runtime.advance(3 * HOUR_MS);
    expect(await fixture.occurrencesOf(good)).toHaveLength(3);
    expect(await fixture.occurrencesOf(bad)).toEqual([]);
    const told = fixture.events.filter(([name]) => name === 'schedule:error');
    expect(told).toEqual([['schedule:error', expect.objectContaining({ scheduleId: bad })]]);
  });

  test('tries again while the storage fails, and loses nothing', async () => {
    const fixture = createSchedulerFixture();
    const startedAt = fixture.runtime.now();
    const id = await fixture.create('* * * * *', { catchUp: 'all' });
    let calls = 0;
    let isFlaky = true;
    const flaky =
      <Params, Result>(call: (params: Params) => Promise<Result>) =>
      async (params: Params) => {
        if (isFlaky && ++calls % 3 === 0) throw new Error('the storage is away');
        return call(params);
      };
    fixture.start({
      listDueSchedules: flaky((params) => fixture.storage.listDueSchedules(params)),
      fireSchedules: flaky((params) => fixture.storage.fireSchedules(params)),
    });
    await fixture.runtime.advance(HOUR_MS);
    isFlaky = false;
    await fixture.runtime.advance(HOUR_MS);
    expect(await fixture.occurrencesOf(id)).toEqual(
      occurrencesIn('* * * * *', 'UTC', startedAt, fixture.runtime.now()),
    );
    expect(fixture.errors.length).toBeGreaterThan(0);
  });

  test('fires a schedule while others try the same', async () => {
    const fixture = createSchedulerFixture();
    const startedAt = fixture.runtime.now();
    const ids = await Promise.all(['* * * * *', '*/7 * * * * *', '0 * * * *'].map((cron) => fixture.create(cron)));
    for (let i = 0; i < 3; i++) fixture.start(slowed(fixture.storage));
    await fixture.runtime.advance(HOUR_MS);
    for (const [i, cron] of ['* * * * *', '*/7 * * * * *', '0 * * * *'].entries()) {
      expect(await fixture.occurrencesOf(ids[i] as string)).toEqual(
        occurrencesIn(cron, 'UTC', startedAt, fixture.runtime.now()),
      );
    }
  });
});

/** Lets others come in between. */
function slowed(storage: Storage): Pick<Storage, 'listDueSchedules' | 'fireSchedules'> {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    async listDueSchedules(params) {
      const result = await storage.listDueSchedules(params);
      await turn();
      return result;
    },
    async fireSchedules(params) {
      await turn();
      return storage.fireSchedules(params);
    },
  };
}
