import { beforeEach, describe, expect, test } from 'vitest';
import { createStorage, fillStorage, runCli, runCliJson } from './cli-fixture.ts';

beforeEach(async () => {
  await fillStorage(createStorage());
});

describe('reseolio schedules', () => {
  test('list shows what is due next', async () => {
    const { code, out } = await runCli('schedules', 'list');
    expect(code).toBe(0);
    const [head, line = '', total] = out.split('\n');
    expect(head).toMatch(/^NAME +STATUS +CRON +TIME ZONE +NEXT +LAST +ID$/);
    expect(line).toMatch(
      /^sums:nightly +active +0 3 \* \* \* +Europe\/Berlin +\d{4}-\S+T0[12]:00:00\.000Z +- +\S{36}$/,
    );
    expect(total).toBe('1 of 1');
  });

  test('list --json gives what listSchedules gives', async () => {
    expect(await runCliJson('schedules', 'list')).toMatchObject({
      total: 1,
      schedules: [{ name: 'sums:nightly', functionName: 'sums:add', status: 'active', timezone: 'Europe/Berlin' }],
    });
    expect(await runCliJson('schedules', 'list', '--status', 'paused')).toEqual({ total: 0, schedules: [] });
  });

  test('show takes a name or an id', async () => {
    const { code, out } = await runCli('schedules', 'show', 'sums:nightly');
    expect(code).toBe(0);
    expect(out).toMatch(/^function +sums:add$/m);
    expect(out).toMatch(/^catch up +latest$/m);
    expect(out).toMatch(/^args +\[5,6\]$/m);
    const id = /^id +(\S+)$/m.exec(out)?.[1] as string;
    expect(await runCliJson('schedules', 'show', id)).toMatchObject({ id, name: 'sums:nightly', args: [5, 6] });
  });

  test('pause, resume and delete say what it is now', async () => {
    const shown = (status: string) => ({ code: 0, out: `sums:nightly is ${status}`, err: '' });
    expect(await runCli('schedules', 'pause', 'sums:nightly')).toEqual(shown('paused'));
    expect(await runCliJson('schedules', 'list', '--status', 'paused')).toMatchObject({ total: 1 });
    expect(await runCli('schedules', 'resume', 'sums:nightly')).toEqual(shown('active'));
    expect(await runCliJson('schedules', 'delete', 'sums:nightly')).toMatchObject({ status: 'deleted' });
    expect(await runCli('schedules', 'list')).toMatchObject({ out: expect.stringContaining('0 of 0') });
  });

  test.each(['show', 'pause', 'resume', 'delete'])('%s fails for one that is not there', async (command) => {
    expect(await runCli('schedules', command, 'nobody')).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('schedule_not_found'),
    });
  });

  test('refuses a status that there is none of', async () => {
    const { code, err } = await runCli('schedules', 'list', '--status', 'off');
    expect(code).toBe(2);
    expect(err).toContain('active, paused, deleted');
  });
});
