import { describe, expect, it } from 'vitest';
import type { GrpcClient, SparseRequest } from './grpc-client.ts';
import { parse } from './grpc-client.ts';
import { connect, lmdbUrl, open, serve, serveClient } from './server-fixture.ts';
import { SCHEDULE, withStatus } from './wire-status.ts';

type Creation = SparseRequest<'CreateSchedule'>;

const YEARLY: Creation = { name: 'f', cronExpression: '0 0 1 1 *', timezone: 'UTC' };

function create(client: GrpcClient, change: Creation = {}) {
  return client.call('CreateSchedule', { ...YEARLY, ...change });
}

describe('CreateSchedule', () => {
  it('answers the schedule, with the defaults of its options', async () => {
    const client = await serveClient();
    const schedule = await create(client, { args: Buffer.from('["x"]') });
    const options = { maxAttempts: 3, backoff: 'exponential', initialDelayMs: 1000, maxDelayMs: 60_000 };
    expect(schedule).toMatchObject({ ...YEARLY, scheduleName: 'f', status: SCHEDULE.active, lastRunAt: 0 });
    expect(schedule.handlerOptions).toMatchObject({ ...options, timeoutMs: 30_000 });
    expect(schedule.handlerOptions.jitter).toBeCloseTo(0.1);
    expect(parse(schedule.args)).toEqual(['x']);
    expect(new Date(schedule.nextRunAt).toISOString()).toMatch(/-01-01T00:00:00.000Z$/);
    expect(schedule.updatedAt).toBe(schedule.createdAt);
  });

  it('takes no time zone for UTC, no args for none', async () => {
    const schedule = await create(await serveClient(), { timezone: '' });
    expect([schedule.timezone, parse(schedule.args)]).toEqual(['UTC', []]);
  });

  it('makes one that lives for each function, and another when it is deleted', async () => {
    const client = await serveClient();
    const { id } = await create(client);
    await expect(create(client)).rejects.toMatchObject(withStatus('ALREADY_EXISTS'));
    await client.call('PauseSchedule', { scheduleId: id });
    await expect(create(client)).rejects.toMatchObject(withStatus('ALREADY_EXISTS'));
    await client.call('DeleteSchedule', { scheduleId: id });
    expect((await create(client)).id).not.toBe(id);
  });

  it.each([
    ['no name', { name: '' }],
    ['a name that is none', { name: 'no name' }],
    ['no cron', { cronExpression: '' }],
    ['a cron that is none', { cronExpression: 'every day' }],
    ['a minute that is none', { cronExpression: '60 * * * *' }],
    ['day 0 of the week', { cronExpression: '0 0 * * 0' }],
    ['day 8 of the week', { cronExpression: '0 0 * * 8' }],
    ['a cron that is never due', { cronExpression: '0 0 30 2 *' }],
    ['a time zone that is none', { timezone: 'Mars/Olympus' }],
    ['args that are no JSON', { args: Buffer.from('{') }],
    ['a negative time-out', { handlerOptions: { timeoutMs: -1 } }],
  ] satisfies [string, Creation][])('refuses %s, and stores nothing', async (_title, change) => {
    const client = await serveClient();
    await expect(create(client, change)).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    expect((await client.call('ListSchedules', {})).total).toBe(0);
  });
});

describe('cron on the wire', () => {
  it('counts the days of the week from 1, which is Sunday', async () => {
    const client = await serveClient();
    const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
    for (const [i, day] of days.entries()) {
      const { nextRunAt } = await create(client, { name: `f${i}`, cronExpression: `0 9 * * ${i + 1}` });
      expect(new Date(nextRunAt).toUTCString()).toMatch(new RegExp(`^${day}, .* 09:00:00 GMT$`));
    }
  });

  it.each([
    ['0 9 * * 2', '0 9 * * 1'],
    ['0 9 * * 7', '0 9 * * 6'],
    ['0 9 * * 1-7', '0 9 * * 0-6'],
    ['0 9 * * 1,3,7', '0 9 * * 0,2,6'],
    ['0 9 * * 2-6/2', '0 9 * * 1-5/2'],
    ['0 9 * * */2', '0 9 * * */2'],
    ['0 9 * * MON-fri', '0 9 * * MON-fri'],
    ['30 0 9 * * 2', '30 0 9 * * 1'],
    ['  0   9 * *   2 ', '  0   9 * *   1 '],
    ['@daily', '@daily'],
    ['@weekly', '@weekly'],
    ['@hourly', '@hourly'],
    ['@monthly', '@monthly'],
    ['@yearly', '@yearly'],
  ])('%j is %j in the library, and is echoed as it was sent', async (sent, standard) => {
    const storage = lmdbUrl();
    const client = connect(await serve({ storage }));
    const { id, cronExpression } = await create(client, { cronExpression: sent });
    expect(cronExpression).toBe(sent);
    expect((await client.call('GetSchedule', { scheduleId: id })).cronExpression).toBe(sent);
    expect((await (await open(storage)).getSchedule({ idOrName: id })).schedule?.cron).toBe(standard);
  });
});

describe('GetSchedule', () => {
  it('finds a schedule by its id and by its name, a deleted one too', async () => {
    const client = await serveClient();
    const schedule = await create(client);
    expect(await client.call('GetSchedule', { scheduleId: schedule.id })).toEqual(schedule);
    expect(await client.call('GetSchedule', { scheduleId: 'f' })).toEqual(schedule);
    await client.call('DeleteSchedule', { scheduleId: 'f' });
    for (const scheduleId of [schedule.id, 'f']) {
      const deleted = await client.call('GetSchedule', { scheduleId });
      expect(deleted).toMatchObject({ id: schedule.id, status: SCHEDULE.deleted });
    }
  });
});

describe('UpdateSchedule', () => {
  it('keeps the cron and the time zone that it is not given', async () => {
    const client = await serveClient();
    const { id: scheduleId, nextRunAt } = await create(client, { timezone: 'Europe/Berlin' });
    const same = await client.call('UpdateSchedule', { scheduleId });
    expect(same).toMatchObject({ cronExpression: '0 0 1 1 *', timezone: 'Europe/Berlin', nextRunAt });
    const zoned = await client.call('UpdateSchedule', { scheduleId, timezone: 'Asia/Tokyo' });
    expect(zoned).toMatchObject({ cronExpression: '0 0 1 1 *', timezone: 'Asia/Tokyo' });
    expect(zoned.nextRunAt).toBe(nextRunAt - 8 * 3_600_000);
    const timed = await client.call('UpdateSchedule', { scheduleId: 'f', cronExpression: '0 1 1 1 *' });
    expect(timed.nextRunAt).toBe(zoned.nextRunAt + 3_600_000);
  });

  it('replaces all options, those that are not said by the defaults', async () => {
    const client = await serveClient();
    await create(client, { handlerOptions: { maxAttempts: 9, timeoutMs: 77 } });
    const kept = await client.call('UpdateSchedule', { scheduleId: 'f', cronExpression: '0 1 1 1 *' });
    expect(kept.handlerOptions).toMatchObject({ maxAttempts: 9, timeoutMs: 77 });
    const replaced = await client.call('UpdateSchedule', { scheduleId: 'f', handlerOptions: { maxAttempts: 2 } });
    expect(replaced.handlerOptions).toMatchObject({ maxAttempts: 2, timeoutMs: 30_000 });
  });

  it.each([{ cronExpression: 'never' }, { timezone: 'Mars/Olympus' }, { handlerOptions: { jitter: 2 } }])(
    'refuses %j, and changes nothing',
    async (change) => {
      const client = await serveClient();
      const schedule = await create(client);
      const update = client.call('UpdateSchedule', { scheduleId: 'f', ...change });
      await expect(update).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
      expect(await client.call('GetSchedule', { scheduleId: 'f' })).toEqual(schedule);
    },
  );
});

describe('PauseSchedule and ResumeSchedule', () => {
  it('pause and resume, and change nothing when there is nothing to change', async () => {
    const client = await serveClient();
    const created = await create(client);
    expect(await client.call('ResumeSchedule', { scheduleId: 'f' })).toEqual(created);
    const paused = await client.call('PauseSchedule', { scheduleId: 'f' });
    expect(paused.status).toBe(SCHEDULE.paused);
    expect(await client.call('PauseSchedule', { scheduleId: created.id })).toEqual(paused);
    const resumed = await client.call('ResumeSchedule', { scheduleId: 'f' });
    expect(resumed).toMatchObject({ status: SCHEDULE.active, nextRunAt: created.nextRunAt });
  });
});

describe('a schedule that is deleted, or was never there,', () => {
  it('cannot be updated, paused, resumed or deleted', async () => {
    const client = await serveClient();
    const { id } = await create(client);
    const answer = await client.call('DeleteSchedule', { scheduleId: id });
    expect(answer.success).toBe(true);
    const changes = ['UpdateSchedule', 'PauseSchedule', 'ResumeSchedule', 'DeleteSchedule'] as const;
    for (const scheduleId of [id, 'f', '', 'x', '01900000-0000-7000-8000-000000000000', 'ü'.repeat(3000)]) {
      for (const change of changes) {
        await expect(client.call(change, { scheduleId })).rejects.toMatchObject(withStatus('NOT_FOUND'));
      }
    }
    for (const scheduleId of ['', 'x', 'ü'.repeat(3000)]) {
      await expect(client.call('GetSchedule', { scheduleId })).rejects.toMatchObject(withStatus('NOT_FOUND'));
    }
  });
});

describe('ListSchedules', () => {
  it('lists those that are not deleted, by their next run, or those of one state', async () => {
    const client = await serveClient();
    await create(client, { name: 'late', cronExpression: '59 23 31 12 *' });
    await create(client, { name: 'soon', cronExpression: '* * * * *' });
    await create(client, { name: 'paused', cronExpression: '* * * * *' });
    await create(client, { name: 'gone' });
    await client.call('PauseSchedule', { scheduleId: 'paused' });
    await client.call('DeleteSchedule', { scheduleId: 'gone' });
    const list = async (request: SparseRequest<'ListSchedules'>): Promise<[string[], number]> => {
      const { schedules, total } = await client.call('ListSchedules', request);
      return [schedules.map(({ name }) => name), total];
    };
    expect(await list({})).toEqual([['soon', 'late', 'paused'], 3]);
    expect(await list({ statusFilter: 'active' })).toEqual([['soon', 'late'], 2]);
    expect(await list({ statusFilter: 'paused' })).toEqual([['paused'], 1]);
    expect(await list({ limit: 1, offset: 1 })).toEqual([['late'], 3]);
    expect(await list({ limit: 2 ** 31 - 1 })).toEqual([['soon', 'late', 'paused'], 3]);
    for (const request of [{ statusFilter: 'deleted' }, { limit: -1 }, { offset: -1 }]) {
      await expect(list(request)).rejects.toMatchObject(withStatus('INVALID_ARGUMENT'));
    }
  });

  it('gives 100 unless asked for more', async () => {
    const client = await serveClient();
    await Promise.all(Array.from({ length: 150 }, (_, i) => create(client, { name: `f${i}` })));
    expect((await client.call('ListSchedules', {})).schedules).toHaveLength(100);
    expect((await client.call('ListSchedules', { limit: 10_000 })).schedules).toHaveLength(150);
  });
});

describe('a schedule that is due', () => {
  it('makes a job that a worker is sent', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f']);
    const { id } = await create(client, { cronExpression: '* * * * * *', args: Buffer.from('["tick"]') });
    const job = await worker.jobs.next();
    expect(job).toMatchObject({ name: 'f', scheduleId: id });
    expect([parse(job.args), job.occurrenceAt % 1000]).toEqual([['tick'], 0]);
    const { lastRunAt } = await client.call('GetSchedule', { scheduleId: id });
    expect(lastRunAt).toBeGreaterThanOrEqual(job.occurrenceAt);
  });
});
