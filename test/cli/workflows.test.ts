import { beforeEach, describe, expect, test } from 'vitest';
import { JobCancelledError } from '../../src/index.ts';
import {
  addWorkflow,
  createStorage,
  finishWorkflow,
  runCli,
  runCliJson,
  type StoredWorkflow,
  startEndlessJob,
} from './cli-fixture.ts';

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

let storage: string;
let workflow: StoredWorkflow;

beforeEach(async () => {
  storage = createStorage();
  workflow = await addWorkflow(storage);
});

describe('reseolio jobs list --parent', () => {
  test('lists the children of a job', async () => {
    expect(await runCliJson('jobs', 'list', '--parent', workflow.parent)).toMatchObject({
      total: 1,
      jobs: [{ id: workflow.child, parentId: workflow.parent }],
    });
    expect(await runCliJson('jobs', 'list', '--parent', workflow.child)).toEqual({ total: 0, jobs: [] });
  });

  test.each(['nonsense', ''])('refuses %j', async (id) => {
    expect(await runCli('jobs', 'list', '--parent', id)).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('invalid_option'),
    });
  });

  test('shows no due time of a job that no time wakes', async () => {
    const { out } = await runCli('jobs', 'list', '--name', 'orders:process');
    expect(out.split('\n')[1]).toMatch(/^\S+ +orders:process +pending +0\/3 +- +-$/);
  });
});

describe('reseolio jobs show', () => {
  test('shows what a job remembers, waits for and has called', async () => {
    const { out } = await runCli('jobs', 'show', workflow.parent);
    expect(out).toMatch(/^status +pending, suspended$/m);
    expect(out).toMatch(/^parent +-$/m);
    expect(out).toMatch(new RegExp(`^children +1, see jobs list --parent ${workflow.parent}$`, 'm'));
    expect(out).toMatch(/^steps +3$/m);
    expect(out).toMatch(/^signals +0$/m);
    expect(out).toMatch(/^due +-$/m);
  });

  test('shows whose child a job is', async () => {
    const { out } = await runCli('jobs', 'show', workflow.child);
    expect(out).toMatch(new RegExp(`^parent +${workflow.parent}$`, 'm'));
    expect(out).toMatch(/^children +0$/m);
  });
});

describe('reseolio jobs cancel', () => {
  test('takes suspended jobs', async () => {
    expect(await runCli('jobs', 'cancel', workflow.parent)).toMatchObject({ out: `${workflow.parent}  cancel done` });
  });

  test('--running asks a running job to stop', async () => {
    const handle = await startEndlessJob(storage);
    const { jobId } = handle;
    expect(await runCli('jobs', 'cancel', jobId)).toMatchObject({ out: `${jobId}  not changed: see jobs show` });
    const stopped = expect(handle.result()).rejects.toThrow(JobCancelledError);
    const { code, out } = await runCli('jobs', 'cancel', jobId, '--running');
    expect(code).toBe(0);
    expect([`${jobId}  asked to stop`, `${jobId}  cancel done`]).toContain(out);
    await stopped;
  });
});

describe('reseolio jobs signal', () => {
  test.each([
    [[], undefined],
    [['{"by":"me"}'], { by: 'me' }],
    [['null'], null],
  ] as const)('sends a signal with %j', async (payload, received) => {
    expect(await runCli('jobs', 'signal', workflow.parent, 'approve', ...payload)).toEqual({
      code: 0,
      out: `${workflow.parent}  signal approve stored`,
      err: '',
    });
    expect(await finishWorkflow(storage, workflow)).toEqual(received);
  });

  test('--json says what was sent', async () => {
    expect(await runCliJson('jobs', 'signal', workflow.parent, 'approve')).toEqual({
      id: workflow.parent,
      signal: 'approve',
    });
  });

  test.each([
    ['a job that is not there', UNKNOWN_ID, ['approve'], 1, 'job_not_found'],
    ['what is no id', 'nonsense', ['approve'], 1, 'invalid_argument'],
    ['a job that has ended', 'child', ['approve'], 1, 'job_finished'],
    ['a name that is none', 'parent', [''], 1, 'invalid_argument'],
    ['what is no JSON', 'parent', ['approve', '{by:me}'], 2, 'use JSON'],
  ] as const)('refuses %s', async (_case, job, args, code, message) => {
    const id = job === 'child' || job === 'parent' ? workflow[job] : job;
    expect(await runCli('jobs', 'signal', id, ...args)).toEqual({
      code,
      out: '',
      err: expect.stringContaining(message),
    });
  });
});
