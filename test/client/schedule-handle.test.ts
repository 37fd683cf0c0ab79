import { describe, expect, test } from 'vitest';
import type { ReseolioErrorCode, ScheduleChange, ScheduleHandle } from '../../src/index.ts';
import { currentJob } from '../../src/index.ts';
import { createFixture, createGate, withCode } from './client-fixture.ts';

const NEW_YEAR = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

async function startHourly() {
  const fixture = createFixture();
  const client = await fixture.startClient();
  const report = client.durable('report', (tenant: string) => tenant);
  const handle = await report.hourly('acme');
  const countJobs = async (): Promise<number> => (await client.listJobs()).total;
  return { ...fixture, client, report, handle, countJobs };
}

type Hourly = Awaited<ReturnType<typeof startHourly>>;

describe('a schedule', () => {
  test('makes no jobs while it is paused, and goes on from now when it is resumed', async () => {
    const { handle, runtime, countJobs } = await startHourly();
    await runtime.advance(1.5 * HOUR_MS);
    await handle.pause();
    await handle.pause();
    expect([await handle.status(), await handle.nextRunAt()]).toEqual(['paused', null]);
    await runtime.advance(10 * HOUR_MS);
    expect(await countJobs()).toBe(1);
    await handle.resume();
    const { updatedAt } = await handle.details();
    await runtime.advance(1);
    await handle.resume();
    expect((await handle.details()).updatedAt).toBe(updatedAt);
    expect([await handle.status(), await handle.nextRunAt()]).toEqual(['active', NEW_YEAR + 12 * HOUR_MS]);
    await runtime.advance(HOUR_MS);
    expect(await countJobs()).toBe(2);
  });

  test('ends when it is deleted, can still be read, and leaves its name free', async () => {
    const { client, report, handle, runtime, countJobs } = await startHourly();
    expect(await handle.delete()).toBe(true);
    expect(await handle.delete()).toBe(false);
    await runtime.advance(5 * HOUR_MS);
    expect(await countJobs()).toBe(0);
    expect(await handle.details()).toMatchObject({ status: 'deleted', nextRunAt: null, cron: '0 * * * *' });
    expect((await client.getSchedule('report'))?.id).toBe(handle.id);
    const next = await report.daily(5, 'acme');
    expect(next.id).not.toBe(handle.id);
    expect((await client.getSchedule('report'))?.id).toBe(next.id);
  });

  test.each<[string, (handle: ScheduleHandle) => Promise<unknown>]>([
    ['paused', (handle) => handle.pause()],
    ['resumed', (handle) => handle.resume()],
    ['updated', (handle) => handle.update({ cron: '@daily' })],
  ])('cannot be %s once it is deleted', async (_, change) => {
    const { handle } = await startHourly();
    await handle.delete();
    await expect(change(handle)).rejects.toMatchObject(withCode('schedule_not_found'));
  });

  test('is changed in what is said, and in nothing else', async () => {
    const { handle, runtime } = await startHourly();
    await runtime.advance(60_000);
    const before = await handle.details();
    await handle.update({ handlerOptions: { maxAttempts: 9 } });
    const updatedAt = NEW_YEAR + 60_000;
    const handlerOptions = { ...before.handlerOptions, maxAttempts: 9 };
    expect(await handle.details()).toEqual({ ...before, handlerOptions, updatedAt });
    await handle.update({ args: ['b'], catchUp: 'skip', overlap: 'skip', catchUpLimit: 3 });
    expect(await handle.details()).toEqual({
      ...before,
      handlerOptions,
      updatedAt,
      args: ['b'],
      catchUp: 'skip',
      overlap: 'skip',
      catchUpLimit: 3,
    });
  });

  test('with another cron or zone is due by that, from now on', async () => {
    const { handle, runtime } = await startHourly();
    await handle.update({ cron: '30 5 * * *' });
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + 5.5 * HOUR_MS);
    await handle.update({ timezone: 'Asia/Tokyo' });
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + 20.5 * HOUR_MS);
    await runtime.advance(20.5 * HOUR_MS);
    expect(await handle.lastRunAt()).toBe(NEW_YEAR + 20.5 * HOUR_MS);
  });

  test.each<[string, (report: Hourly['report'], handle: ScheduleHandle) => Promise<unknown>]>([
    ['updated', (_, handle) => handle.update({ cron: '30 5 * * *' })],
    ['replaced', (report) => report.schedule({ cron: '30 5 * * *', catchUp: 'all', replace: true }, 'acme')],
  ])('makes up by its old cron for what was missed before it is %s', async (_, change) => {
    const { client, report, handle, runtime, storage } = await startHourly();
    await handle.update({ catchUp: 'all' });
    const gate = createGate();
    storage.hold('listDueSchedules', gate.opened);
    await runtime.advance(3.5 * HOUR_MS);
    expect((await client.listJobs()).total).toBe(0);
    await change(report, handle);
    const { jobs } = await client.listJobs({ ascending: true });
    expect(jobs.map(({ occurrence }) => occurrence?.dueAt)).toEqual([1, 2, 3].map((hour) => NEW_YEAR + hour * HOUR_MS));
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + 5.5 * HOUR_MS);
    gate.open();
    storage.heal('listDueSchedules');
    await runtime.advance(3 * HOUR_MS);
    expect((await client.listJobs()).total).toBe(4);
  });

  test('that is paused stays so when it is changed', async () => {
    const { handle } = await startHourly();
    await handle.pause();
    await handle.update({ cron: '@daily' });
    expect(await handle.details()).toMatchObject({ status: 'paused', nextRunAt: null, cron: '@daily' });
    await expect(handle.update({ cron: '0 0 30 2 *' })).rejects.toMatchObject(withCode('invalid_cron'));
  });

  test('does not move what comes next when nothing about it changes', async () => {
    const { handle, storage } = await startHourly();
    await handle.update({});
    await handle.update({ cron: '0 * * * *', args: ['acme'] });
    expect(storage.count('updateSchedule')).toBe(0);
  });

  test.each<[string, ReseolioErrorCode, unknown]>([
    ['a bad cron', 'invalid_cron', { cron: '* *' }],
    ['a bad zone', 'invalid_timezone', { timezone: 'Nowhere' }],
    ['a zone that is undefined', 'invalid_timezone', { timezone: undefined }],
    ['an unknown key', 'invalid_option', { name: 'other' }],
    ['arguments that are none', 'invalid_argument', { args: 'acme' }],
    ['arguments that cannot be stored', 'payload_unserializable', { args: [Symbol('x')] }],
    ['no object', 'invalid_option', null],
  ])('is not changed by %s', async (_, code, change) => {
    const { handle } = await startHourly();
    const before = await handle.details();
    await expect(handle.update(change as ScheduleChange)).rejects.toMatchObject({ code });
    expect(await handle.details()).toEqual(before);
  });

  test('is changed by all of many changes at once', async () => {
    const { handle } = await startHourly();
    await Promise.all([
      handle.update({ handlerOptions: { maxAttempts: 9 } }),
      handle.update({ handlerOptions: { jitter: 0 } }),
      handle.update({ catchUp: 'all' }),
      handle.update({ args: ['b'] }),
    ]);
    expect(await handle.details()).toMatchObject({
      handlerOptions: { maxAttempts: 9, jitter: 0 },
      catchUp: 'all',
      args: ['b'],
    });
  });

  test('is skipped while the last job runs, if it says so', async () => {
    const { client, runtime } = createFixtureOf();
    await client.start();
    const gate = createGate();
    const slow = client.durable('slow', () => gate.opened, { timeoutMs: 100 * HOUR_MS });
    const skipped: unknown[] = [];
    client.on('schedule:skip', ({ reason, dueAt }) => skipped.push([reason, dueAt]));
    await slow.schedule({ cron: '@hourly', overlap: 'skip' });
    await runtime.advance(3 * HOUR_MS);
    expect((await client.listJobs()).total).toBe(1);
    expect(skipped).toEqual([
      ['overlap', NEW_YEAR + 2 * HOUR_MS],
      ['overlap', NEW_YEAR + 3 * HOUR_MS],
    ]);
    gate.open();
    await runtime.advance(HOUR_MS);
    expect((await client.listJobs()).total).toBe(2);
  });

  test('tells the handler what its job is for', async () => {
    const { client, runtime } = createFixtureOf();
    await client.start();
    const seen: unknown[] = [];
    const f = client.durable('f', () => void seen.push(currentJob().occurrence));
    const { id } = await f.hourly();
    await (await f()).result();
    await runtime.advance(HOUR_MS);
    expect(seen).toEqual([null, { scheduleId: id, dueAt: NEW_YEAR + HOUR_MS }]);
    expect(Object.isFrozen(seen[1])).toBe(true);
  });
});

function createFixtureOf() {
  const fixture = createFixture();
  return { ...fixture, client: fixture.createClient() };
}

describe('listSchedules', () => {
  test('shows what is due next first, by status and page', async () => {
    const { client } = createFixtureOf();
    await client.start();
    const f = client.durable('f', (n: number) => n);
    const b = await f.schedule({ cron: '0 2 * * *', name: 'b' }, 1);
    const a = await f.schedule({ cron: '0 1 * * *', name: 'a' }, 1);
    await f.schedule({ cron: '0 3 * * *', name: 'c' }, 1);
    const gone = await f.schedule({ cron: '0 4 * * *', name: 'gone' }, 1);
    await a.pause();
    await gone.delete();
    const names = async (query?: Parameters<typeof client.listSchedules>[0]) => {
      const { schedules, total } = await client.listSchedules(query);
      return [schedules.map(({ name }) => name), total];
    };
    expect(await names()).toEqual([['b', 'c', 'a'], 3]);
    expect(await names({ status: 'active' })).toEqual([['b', 'c'], 2]);
    expect(await names({ status: 'paused' })).toEqual([['a'], 1]);
    expect(await names({ status: 'deleted' })).toEqual([['gone'], 1]);
    expect(await names({ limit: 1, offset: 1 })).toEqual([['c'], 3]);
    const [first] = (await client.listSchedules({ limit: 1 })).schedules;
    const { args: _args, ...overview } = await b.details();
    expect(first).toEqual(overview);
  });

  test.each([{ status: 'gone' }, { limit: 0 }, { limit: 10_001 }, { offset: -1 }, { order: 1 }, null])(
    'refuses %j',
    async (query) => {
      const { client } = createFixtureOf();
      await client.start();
      await expect(client.listSchedules(query as never)).rejects.toMatchObject(withCode('invalid_option'));
    },
  );
});

describe('previewSchedule', () => {
  test('tells the next occurrences, stores nothing, and needs no start', async () => {
    const { client, storage } = createFixtureOf();
    const preview = await client.previewSchedule({ cron: '0 9 * * 1-5', timezone: 'Europe/Berlin' }, 3);
    expect(preview.map((at) => new Date(at).toISOString())).toEqual([
      '2026-01-01T08:00:00.000Z',
      '2026-01-02T08:00:00.000Z',
      '2026-01-05T08:00:00.000Z',
    ]);
    expect(storage.calls).toEqual([]);
  });

  test.each<[ReseolioErrorCode, unknown, number]>([
    ['invalid_cron', { cron: 'x' }, 1],
    ['invalid_cron', { cron: '0 0 30 2 *' }, 1],
    ['invalid_timezone', { cron: '@daily', timezone: 'x' }, 1],
    ['invalid_timezone', { cron: '@daily', timezone: undefined }, 1],
    ['invalid_option', { cron: '@daily' }, 0],
    ['invalid_option', { cron: '@daily' }, 1001],
    ['invalid_option', { cron: '@daily', zone: 'UTC' }, 1],
    ['invalid_option', '@daily', 1],
  ])('refuses with %s: %j, %i', async (code, options, count) => {
    const { client } = createFixtureOf();
    await expect(client.previewSchedule(options as never, count)).rejects.toMatchObject({ code });
  });

  test('refuses an id that is no text', async () => {
    const { client } = createFixtureOf();
    await client.start();
    await expect(client.getSchedule(5 as never)).rejects.toMatchObject(withCode('invalid_argument'));
  });
});
