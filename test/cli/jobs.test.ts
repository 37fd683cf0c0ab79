import { beforeEach, describe, expect, test } from 'vitest';
import { createStorage, fillStorage, runCli, runCliJson, type StoredJobs } from './cli-fixture.ts';

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

let jobs: StoredJobs;

beforeEach(async () => {
  jobs = await fillStorage(createStorage());
});

describe('reseolio jobs list', () => {
  test('shows the newest first, and how many there are', async () => {
    const { code, out } = await runCli('jobs', 'list');
    expect(code).toBe(0);
    const [head, ...lines] = out.split('\n');
    expect(head).toMatch(/^ID +NAME +STATUS +ATTEMPT +DUE +ERROR$/);
    expect(lines.map((line) => line.split(/ {2,}/).filter((_, column) => column !== 4))).toEqual([
      [jobs.pending, 'sums:add', 'pending', '0/3', '-'],
      [jobs.dead, 'orders:charge', 'dead', '1/3', 'card refused'],
      [jobs.success, 'sums:add', 'success', '1/3', '-'],
      ['3 of 3'],
    ]);
  });

  test('--json gives what listJobs gives', async () => {
    expect(await runCliJson('jobs', 'list')).toMatchObject({
      total: 3,
      jobs: [
        { id: jobs.pending, status: 'pending', idempotencyKey: 'later' },
        { id: jobs.dead, error: { message: 'card refused' } },
        { id: jobs.success, options: { maxAttempts: 3 } },
      ],
    });
  });

  test.each([
    [['--status', 'dead'], ['dead']],
    [
      ['--status', 'dead', 'success'],
      ['dead', 'success'],
    ],
    [
      ['--name', 'sums:add'],
      ['pending', 'success'],
    ],
    [['--limit', '1'], ['pending']],
    [['--limit', '1', '--offset', '2'], ['success']],
  ] as const)('takes %j', async (flags, found) => {
    const list = (await runCliJson('jobs', 'list', ...flags)) as { jobs: { id: string }[] };
    expect(list.jobs.map(({ id }) => id)).toEqual(found.map((state) => jobs[state]));
  });

  test.each([
    [['--status', 'failed'], 2, 'use pending, running, success, dead, cancelled'],
    [['--limit', 'many'], 2, 'use a whole number'],
    [['--limit', '5000'], 1, 'invalid_option'],
    [['--name', 'no name'], 1, 'invalid_name'],
  ] as const)('refuses %j', async (flags, code, message) => {
    expect(await runCli('jobs', 'list', ...flags)).toEqual({ code, out: '', err: expect.stringContaining(message) });
  });
});

describe('reseolio jobs show', () => {
  test('shows a result', async () => {
    const { code, out } = await runCli('jobs', 'show', jobs.success);
    expect(code).toBe(0);
    expect(out).toMatch(/^status +success$/m);
    expect(out).toMatch(/^args +\[1,2\]$/m);
    expect(out).toMatch(/^result +\{"sum":3\}$/m);
  });

  test('shows errors with their history, and what JSON lacks as text', async () => {
    const { out } = await runCli('jobs', 'show', jobs.dead);
    expect(out).toMatch(/^args +\["-1n","base64:aGk="\]$/m);
    expect(out).toMatch(/^error +NonRetryableError: card refused$/m);
    expect(out).toMatch(/^ATTEMPT +OUTCOME +STARTED +ENDED +WORKER +ERROR\n1 +.* card refused$/m);
  });

  test('--json gives what getJob gives', async () => {
    expect(await runCliJson('jobs', 'show', jobs.dead)).toMatchObject({
      id: jobs.dead,
      args: ['-1n', 'base64:aGk='],
      history: [{ attempt: 1, error: { message: 'card refused' } }],
    });
  });

  test('fails for a job that is not there', async () => {
    expect(await runCli('jobs', 'show', UNKNOWN_ID)).toMatchObject({
      code: 1,
      err: expect.stringContaining('job_not_found'),
    });
    expect(await runCli('jobs', 'show', 'nonsense')).toMatchObject({
      code: 1,
      err: expect.stringContaining('invalid_argument'),
    });
  });
});

describe('reseolio jobs retry and cancel', () => {
  test('change jobs that can be, and say which cannot', async () => {
    const { code, out } = await runCli('jobs', 'retry', jobs.dead, jobs.success);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([`${jobs.dead}  retry done`, `${jobs.success}  not changed: see jobs show`]);
    expect(await runCliJson('jobs', 'show', jobs.dead)).toMatchObject({ status: 'pending', attempt: 0 });

    expect(await runCli('jobs', 'cancel', jobs.pending)).toMatchObject({
      code: 0,
      out: `${jobs.pending}  cancel done`,
    });
    expect(await runCliJson('jobs', 'show', jobs.pending)).toMatchObject({ status: 'cancelled' });
  });

  test('--json lists what was changed', async () => {
    expect(await runCliJson('jobs', 'cancel', jobs.pending, jobs.dead)).toEqual([
      { id: jobs.pending, changed: true },
      { id: jobs.dead, changed: false },
    ]);
  });

  test.each(['retry', 'cancel'])('%s fails for a job that is not there', async (command) => {
    expect(await runCli('jobs', command, jobs.success, UNKNOWN_ID)).toEqual({
      code: 1,
      out: `${jobs.success}  not changed: see jobs show`,
      err: expect.stringContaining('job_not_found'),
    });
  });
});
