import { describe, expect, test } from 'vitest';
import { checkResults, type StoredOutcome } from '../../demo/check-results.ts';
import type { CompressedFile } from '../../demo/compress-file.ts';
import { countRerun } from '../../demo/count-jobs.ts';
import { readOutcomes } from '../../demo/read-outcomes.ts';
import { NonRetryableError, Reseolio } from '../../src/index.ts';

const RIGHT: CompressedFile = { size: 3, compressedSize: 23, sha256: 'abc' };

async function check(result: CompressedFile | null) {
  const outcomes: StoredOutcome[] = [
    { path: 'sound', result: RIGHT, reason: null },
    { path: 'checked', result, reason: result === null ? 'there is no such job' : null },
  ];
  let checked = 0;
  const report = await checkResults(
    outcomes,
    async () => RIGHT,
    (count) => {
      checked = count;
    },
  );
  expect(checked).toBe(2);
  return report;
}

describe('the check of the demo', () => {
  test('finds nothing wrong with the right results', async () => {
    expect(await check(RIGHT)).toEqual({ lost: 0, wrong: 0, problems: [] });
  });

  test('notices a job without a result', async () => {
    expect(await check(null)).toEqual({ lost: 1, wrong: 0, problems: ['lost: checked: there is no such job'] });
  });

  test.each([
    ['size', { ...RIGHT, size: 4 }],
    ['compressedSize', { ...RIGHT, compressedSize: 24 }],
    ['sha256', { ...RIGHT, sha256: 'abd' }],
  ])('notices a wrong %s', async (field, result) => {
    const { lost, wrong, problems } = await check(result);
    expect({ lost, wrong }).toEqual({ lost: 0, wrong: 1 });
    expect(problems).toEqual([expect.stringContaining(`wrong: checked: ${field} is`)]);
  });

  test('takes a result that cannot be computed for a wrong one', async () => {
    const unreadable = async () => Promise.reject(new Error('no such file'));
    const report = await checkResults([{ path: 'a', result: RIGHT, reason: null }], unreadable, () => {});
    expect(report).toMatchObject({ lost: 0, wrong: 1, problems: [expect.stringContaining('no such file')] });
  });

  test('reads what is stored: a result, a job that died, a job that is not there', async () => {
    await using reseolio = new Reseolio({ storage: 'memory://' });
    const compress = reseolio.durable('compress', async (path: string) => {
      if (path === 'sound') return RIGHT;
      throw new NonRetryableError('unreadable');
    });
    await reseolio.start();
    const handles = await compress.enqueueMany([['sound'], ['broken']]);
    const jobIds = [...handles.map((handle) => handle.jobId), '00000000-0000-7000-8000-000000000000'];
    expect(await readOutcomes(reseolio, ['sound', 'broken', 'gone'], jobIds)).toEqual([
      { path: 'sound', result: RIGHT, reason: null },
      { path: 'broken', result: null, reason: 'unreadable' },
      { path: 'gone', result: null, reason: expect.stringContaining('there is no job') },
    ]);
  });

  test('counts the jobs that took more than one attempt', async () => {
    await using reseolio = new Reseolio({ storage: 'memory://' });
    const seen = new Set<number>();
    const stumble = reseolio.durable(
      'stumble',
      async (id: number) => {
        if (id % 2 === 1 || seen.has(id)) return;
        seen.add(id);
        throw new Error('the first time');
      },
      { initialDelayMs: 0 },
    );
    await reseolio.start();
    // More than one page of a list.
    const handles = await stumble.enqueueMany(Array.from({ length: 1100 }, (_, id) => [id]));
    await Promise.all(handles.map((handle) => handle.result()));
    expect(await countRerun(reseolio, 'stumble')).toBe(550);
  });
});
