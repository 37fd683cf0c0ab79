import { describe, expect, test } from 'vitest';
import type { ScheduleOptions } from '../../src/index.ts';
import { createFixture, withCode } from './client-fixture.ts';
import { startReporting } from './reporting-fixture.ts';

const NEW_YEAR = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

describe('fn.schedule', () => {
  test('resolves with the schedule, which says all that it was told', async () => {
    const { client, report } = await startReporting();
    const handle = await report.schedule(
      {
        cron: '30 2 * * MON',
        timezone: 'Europe/Berlin',
        name: 'weekly-report',
        handlerOptions: { timeoutMs: 5, priority: 9 },
        catchUp: 'all',
        catchUpLimit: 5,
        overlap: 'skip',
      },
      'acme',
    );
    expect(handle.name).toBe('weekly-report');
    expect(await handle.details()).toEqual({
      id: handle.id,
      name: 'weekly-report',
      functionName: 'report',
      status: 'active',
      cron: '30 2 * * MON',
      timezone: 'Europe/Berlin',
      args: ['acme'],
      handlerOptions: {
        maxAttempts: 7,
        backoff: 'exponential',
        initialDelayMs: 1000,
        maxDelayMs: 60_000,
        timeoutMs: 5,
        jitter: 0.1,
        priority: 9,
      },
      catchUp: 'all',
      catchUpLimit: 5,
      overlap: 'skip',
      nextRunAt: Date.UTC(2026, 0, 5, 1, 30),
      lastRunAt: null,
      lastJobId: null,
      createdAt: NEW_YEAR,
      updatedAt: NEW_YEAR,
    });
    expect((await client.getSchedule('weekly-report'))?.id).toBe(handle.id);
    expect((await client.getSchedule(handle.id))?.name).toBe('weekly-report');
    expect(await client.getSchedule('nobody')).toBeNull();
  });

  test('is called what the function is, in UTC, unless it says otherwise', async () => {
    const { report } = await startReporting();
    const handle = await report.schedule({ cron: '@daily' }, 'acme');
    const { name, timezone, catchUp, catchUpLimit, overlap } = await handle.details();
    expect({ name, timezone, catchUp, catchUpLimit, overlap }).toEqual({
      name: 'report',
      timezone: 'UTC',
      catchUp: 'latest',
      catchUpLimit: 100,
      overlap: 'allow',
    });
  });

  test('makes a job for each occurrence, which knows what it is for', async () => {
    const { client, report, runtime } = await startReporting();
    const handle = await report.schedule({ cron: '0 * * * *' }, 'acme');
    await runtime.advance(3 * HOUR_MS);
    const { jobs } = await client.listJobs({ ascending: true });
    expect(jobs.map(({ name, status, runAt, occurrence }) => ({ name, status, runAt, occurrence }))).toEqual(
      [1, 2, 3].map((hour) => ({
        name: 'report',
        status: 'success',
        runAt: NEW_YEAR + hour * HOUR_MS,
        occurrence: { scheduleId: handle.id, dueAt: NEW_YEAR + hour * HOUR_MS },
      })),
    );
    const details = await client.getHandle(jobs[0]?.id as string).details();
    expect(details).toMatchObject({ args: ['acme'], result: 'acme', occurrence: { scheduleId: handle.id } });
    expect(await handle.lastRunAt()).toBe(NEW_YEAR + 3 * HOUR_MS);
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + 4 * HOUR_MS);
    expect((await handle.details()).lastJobId).toBe(jobs[2]?.id);
  });

  test('said again is the schedule that is there', async () => {
    const { client, report, startClient, storage } = await startReporting();
    const options: ScheduleOptions = { cron: '0 * * * *', timezone: 'Asia/Tokyo', handlerOptions: { maxAttempts: 2 } };
    const first = await report.schedule(options, 'acme');
    const before = await first.details();
    const other = await startClient();
    const again = await other.durable('report', String, { maxAttempts: 7 }).schedule(options, 'acme');
    expect(again.id).toBe(first.id);
    expect(await again.details()).toEqual(before);
    expect(storage.count('createSchedule')).toBe(1);
    expect(storage.count('updateSchedule')).toBe(0);
    expect((await client.listSchedules()).total).toBe(1);
  });

  test('by many at once makes one', async () => {
    const { client, report } = await startReporting();
    const handles = await Promise.all(Array.from({ length: 10 }, () => report.schedule({ cron: '@hourly' }, 'acme')));
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1);
    expect((await client.listSchedules()).total).toBe(1);
  });

  test.each<[string, ScheduleOptions, string]>([
    ['another cron', { cron: '1 * * * *' }, 'acme'],
    ['another time zone', { cron: '0 * * * *', timezone: 'Asia/Tokyo' }, 'acme'],
    ['other options', { cron: '0 * * * *', handlerOptions: { jitter: 0 } }, 'acme'],
    ['another priority', { cron: '0 * * * *', handlerOptions: { priority: 1 } }, 'acme'],
    ['another catch-up', { cron: '0 * * * *', catchUp: 'skip' }, 'acme'],
    ['another overlap', { cron: '0 * * * *', overlap: 'skip' }, 'acme'],
    ['other arguments', { cron: '0 * * * *' }, 'other'],
  ])('with %s is refused, unless it replaces', async (_, options, tenant) => {
    const { report } = await startReporting();
    const handle = await report.schedule({ cron: '0 * * * *' }, 'acme');
    const before = await handle.details();
    await expect(report.schedule(options, tenant)).rejects.toMatchObject(withCode('schedule_exists'));
    expect(await handle.details()).toEqual(before);
    const replaced = await report.schedule({ ...options, replace: true }, tenant);
    expect(replaced.id).toBe(handle.id);
    const { handlerOptions, ...rest } = options;
    expect(await handle.details()).toMatchObject({ ...rest, args: [tenant], handlerOptions: handlerOptions ?? {} });
  });

  test('says in what a schedule of the name differs', async () => {
    const { report } = await startReporting();
    await report.schedule({ cron: '0 * * * *' }, 'acme');
    await expect(report.schedule({ cron: '5 * * * *' }, 'b')).rejects.toThrow(
      'cron is "0 * * * *", not "5 * * * *", other arguments',
    );
  });

  test('leaves to the stored one what it does not say of the options of the jobs', async () => {
    const { report, startClient } = await startReporting();
    const handle = await report.schedule({ cron: '@hourly', handlerOptions: { jitter: 0 } }, 'acme');
    const later = (await startClient()).durable('report', String, { maxAttempts: 9 });
    const options = { cron: '@hourly', handlerOptions: { jitter: 0 } };
    expect((await later.schedule(options, 'acme')).id).toBe(handle.id);
    expect(await handle.details()).toMatchObject({ handlerOptions: { maxAttempts: 7, jitter: 0 } });
    await later.schedule({ ...options, replace: true }, 'acme');
    expect(await handle.details()).toMatchObject({ handlerOptions: { maxAttempts: 9, jitter: 0 } });
  });

  test('may be spelled otherwise', async () => {
    const { report, storage } = await startReporting();
    const first = await report.schedule({ cron: '0 9 * * MON', timezone: 'Europe/Berlin' }, 'acme');
    const again = await report.schedule({ cron: ' 0  9 * * mon', timezone: 'europe/berlin' }, 'acme');
    expect(again.id).toBe(first.id);
    expect(storage.count('updateSchedule')).toBe(0);
  });

  test('said again mends what a clock that was ahead has left', async () => {
    const { report, runtime } = await startReporting();
    const handle = await report.schedule({ cron: '0 9 * * *' }, 'acme');
    runtime.stepClock(365 * 24 * HOUR_MS);
    await runtime.advance(30_000);
    runtime.stepClock(-365 * 24 * HOUR_MS);
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + (365 * 24 + 9) * HOUR_MS);
    await report.schedule({ cron: '0 9 * * *' }, 'acme');
    expect(await handle.nextRunAt()).toBe(NEW_YEAR + 9 * HOUR_MS);
  });

  test('replaces the function of a schedule as well', async () => {
    const { client, report, runtime } = await startReporting();
    await report.schedule({ cron: '@hourly', name: 'nightly' }, 'acme');
    await client.durable('other', () => 1).schedule({ cron: '@hourly', name: 'nightly', replace: true });
    await runtime.advance(HOUR_MS);
    expect((await client.listJobs()).jobs.map(({ name }) => name)).toEqual(['other']);
  });

  test('gives one function several schedules by their names', async () => {
    const { client, report, runtime } = await startReporting();
    for (const tenant of ['a', 'b']) await report.schedule({ cron: '@hourly', name: `report:${tenant}` }, tenant);
    await runtime.advance(HOUR_MS);
    const { jobs } = await client.listJobs();
    const results = await Promise.all(jobs.map(async ({ id }) => client.getHandle(id).result()));
    expect(results.toSorted()).toEqual(['a', 'b']);
  });

  test('is made once if the answer of the storage is lost', async () => {
    const { client, report, storage } = await startReporting();
    storage.fail('createSchedule', new Error('connection lost'), true);
    await expect(report.schedule({ cron: '@hourly' }, 'acme')).rejects.toThrow('connection lost');
    storage.heal('createSchedule');
    await report.schedule({ cron: '@hourly' }, 'acme');
    expect((await client.listSchedules()).total).toBe(1);
  });
});

describe('what cannot be', () => {
  test.each<[string, string, unknown]>([
    ['an empty expression', 'invalid_cron', { cron: '' }],
    ['no expression', 'invalid_cron', {}],
    ['four fields', 'invalid_cron', { cron: '* * * *' }],
    ['seven fields', 'invalid_cron', { cron: '* * * * * * *' }],
    ['a step of 0', 'invalid_cron', { cron: '*/0 * * * *' }],
    ['a time that never comes', 'invalid_cron', { cron: '0 0 30 2 *' }],
    ['a long expression', 'invalid_cron', { cron: `${'0,'.repeat(128)}0 * * * *` }],
    ['seconds without six fields', 'invalid_cron', { cron: '@secondly' }],
    ['an unknown zone', 'invalid_timezone', { cron: '@daily', timezone: 'Europe/Nowhere' }],
    ['an offset for a zone', 'invalid_timezone', { cron: '@daily', timezone: '+02:00' }],
    ['a zone that is undefined', 'invalid_timezone', { cron: '@daily', timezone: undefined }],
    ['no object', 'invalid_option', '@daily'],
    ['an unknown key', 'invalid_option', { cron: '@daily', maxAttempts: 3 }],
    ['an unknown key of the jobs', 'invalid_option', { cron: '@daily', handlerOptions: { delayMs: 3 } }],
    ['a bad option of the jobs', 'invalid_option', { cron: '@daily', handlerOptions: { jitter: 3 } }],
    ['a bad priority', 'invalid_option', { cron: '@daily', handlerOptions: { priority: 0.5 } }],
    ['an unknown catch-up', 'invalid_option', { cron: '@daily', catchUp: 'some' }],
    ['a catch-up without end', 'invalid_option', { cron: '@daily', catchUp: 'all', catchUpLimit: 1001 }],
    ['an unknown overlap', 'invalid_option', { cron: '@daily', overlap: 'queue' }],
    ['a replace that is text', 'invalid_option', { cron: '@daily', replace: 'yes' }],
    ['a bad name', 'invalid_name', { cron: '@daily', name: 'a b' }],
    ['a name like an id', 'invalid_name', { cron: '@daily', name: '01890000-0000-7000-8000-00000000000f' }],
  ])('%s is refused as %s, and nothing is stored', async (_, code, options) => {
    const { client, report, storage } = await startReporting();
    await expect(report.schedule(options as ScheduleOptions, 'acme')).rejects.toMatchObject({ code });
    expect(storage.count('createSchedule')).toBe(0);
    expect(await client.listSchedules()).toEqual({ schedules: [], total: 0 });
  });

  test('arguments that cannot be stored are refused', async () => {
    const { report, storage } = await startReporting();
    const args = [() => 1] as unknown as [string];
    await expect(report.schedule({ cron: '@daily' }, ...args)).rejects.toMatchObject(
      withCode('payload_unserializable'),
    );
    expect(storage.count('createSchedule')).toBe(0);
  });

  test('more arguments than can be made up for at once are refused', async () => {
    const { client, report, storage } = await startReporting();
    const catchUp = { cron: '@daily', catchUp: 'all', catchUpLimit: 1000 } as const;
    const large = 'x'.repeat(100_000);
    await expect(report.schedule(catchUp, large)).rejects.toMatchObject(withCode('payload_too_large'));
    expect(storage.count('createSchedule')).toBe(0);
    const handle = await report.schedule({ ...catchUp, catchUpLimit: 10 }, large);
    await expect(handle.update({ catchUpLimit: 1000 })).rejects.toMatchObject(withCode('payload_too_large'));
    expect((await client.listSchedules()).schedules).toMatchObject([{ catchUpLimit: 10 }]);
  });

  test('nothing can be scheduled before the start and after the stop', async () => {
    const { createClient } = createFixture();
    const client = createClient();
    const f = client.durable('f', () => 1);
    await expect(f.hourly()).rejects.toMatchObject(withCode('not_started'));
    await client.stop();
    await expect(f.hourly()).rejects.toMatchObject(withCode('stopped'));
  });
});
