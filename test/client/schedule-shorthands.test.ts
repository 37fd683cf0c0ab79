import { describe, expect, test } from 'vitest';
import type { ScheduleHandle } from '../../src/index.ts';
import { withCode } from './client-fixture.ts';
import { type Report, startReporting } from './reporting-fixture.ts';

describe('shorthands', () => {
  async function cronOf(made: Promise<ScheduleHandle>): Promise<unknown> {
    const { cron, timezone, args } = await (await made).details();
    return [cron, timezone, args];
  }

  test('say what they are called', async () => {
    const { report } = await startReporting();
    const named = (name: string) => report.with({ name });
    expect(await cronOf(report.everyMinute('a'))).toEqual(['* * * * *', 'UTC', ['a']]);
    expect(await cronOf(named('h').hourly('a'))).toEqual(['0 * * * *', 'UTC', ['a']]);
    expect(await cronOf(named('d').daily(23, 'a'))).toEqual(['0 23 * * *', 'UTC', ['a']]);
    expect(await cronOf(named('w').weekly(1, 2, 'a'))).toEqual(['0 2 * * 1', 'UTC', ['a']]);
  });

  test('weekly(1, 2) is Monday at 2', async () => {
    const { report } = await startReporting();
    const handle = await report.weekly(1, 2, 'a');
    expect(new Date((await handle.nextRunAt()) as number).toUTCString()).toBe('Mon, 05 Jan 2026 02:00:00 GMT');
  });

  test('take all options', async () => {
    const { report } = await startReporting();
    const handle = await report
      .with({ timezone: 'America/New_York', name: 'x', overlap: 'skip', handlerOptions: { priority: 2 } })
      .daily(9, 'acme');
    expect(await handle.details()).toMatchObject({
      cron: '0 9 * * *',
      timezone: 'America/New_York',
      name: 'x',
      overlap: 'skip',
      handlerOptions: { priority: 2 },
    });
  });

  test.each([{ cron: '@daily' }, { maxAttempts: 3 }, null, 'UTC'])('take no %j', async (settings) => {
    const { report } = await startReporting();
    expect(() => report.with(settings as never)).toThrow(expect.objectContaining(withCode('invalid_option')));
  });

  test.each<[string, (report: Report) => Promise<unknown>]>([
    ['an hour of 24', (report) => report.daily(24, 'a')],
    ['half an hour', (report) => report.daily(1.5, 'a')],
    ['no hour', (report) => report.daily(undefined as unknown as number, 'a')],
    ['an eighth day', (report) => report.weekly(7, 1, 'a')],
    ['an hour of -1', (report) => report.weekly(0, -1, 'a')],
  ])('refuse %s', async (_, call) => {
    const { report, storage } = await startReporting();
    await expect(call(report)).rejects.toMatchObject(withCode('invalid_option'));
    expect(storage.count('createSchedule')).toBe(0);
  });
});
