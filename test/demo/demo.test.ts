import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUN_TIMEOUT_MS, runDemo, writeFiles } from './demo-process.ts';

const FILES = 60;

const directory = mkdtempSync(join(tmpdir(), 'reseolio-demo-test-'));
const files = join(directory, 'files');
const empty = join(directory, 'empty');
const workingDirectory = join(directory, 'working');

beforeAll(() => {
  writeFiles(files, FILES);
  mkdirSync(empty);
  mkdirSync(workingDirectory);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the demo', () => {
  test(
    'loses nothing to three kills, and leaves nothing behind',
    async () => {
      const { exitCode, lines, stderr } = await runDemo(workingDirectory, [files]);
      expect(stderr).toBe('');
      expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
        jobs: FILES,
        kills: 3,
        lost: 0,
        wrong: 0,
        rerun: expect.any(Number),
        enqueueP50Ms: expect.any(Number),
        fsyncP50Ms: expect.any(Number),
        seconds: expect.any(Number),
      });
      expect(lines.filter((line) => line.includes('kill -9'))).toHaveLength(3);
      expect(exitCode).toBe(0);
      expect(readdirSync(workingDirectory)).toEqual([]);
    },
    RUN_TIMEOUT_MS,
  );

  test(
    'cleans up when it is interrupted',
    async () => {
      const { exitCode, lines, stderr } = await runDemo(workingDirectory, [files], (text, child) => {
        if (text.includes('kill 1:')) child.kill('SIGINT');
      });
      expect(stderr).toBe('demo: interrupted by SIGINT\n');
      expect(lines.at(-1)).not.toContain('"jobs"');
      expect(exitCode).toBe(130);
      expect(readdirSync(workingDirectory)).toEqual([]);
    },
    RUN_TIMEOUT_MS,
  );

  test(
    'kills three times however few files there are, in a storage that it was given',
    async () => {
      const { lines, exitCode } = await runDemo(workingDirectory, [
        files,
        '--files',
        '1',
        '--storage',
        'lmdb://./kept',
      ]);
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ jobs: 1, kills: 3, lost: 0, wrong: 0 });
      expect(exitCode).toBe(0);
      expect(readdirSync(workingDirectory)).toEqual(['kept']);
    },
    RUN_TIMEOUT_MS,
  );

  test.each([
    ['a directory that is not there', ['./nowhere'], './nowhere is not a directory'],
    ['a directory without files', [empty], 'holds no files that can be read'],
    ['two directories', ['a', 'b'], 'one directory at a time'],
    ['an unknown option', ['--frobnicate'], "Unknown option '--frobnicate'"],
    ['a number of files out of range', ['--files', '0'], '--files is "0"'],
    ['a storage without a URL', ['--storage', 'mysql'], '--storage is "mysql": use lmdb, postgres, or a URL'],
    ['a storage that several processes cannot share', ['--storage', 'memory://'], 'lives in one process'],
    ['an unknown storage', [files, '--storage', 'ftp://host'], 'is no storage URL'],
  ])('refuses %s', async (_title, args, message) => {
    const { exitCode, stderr } = await runDemo(workingDirectory, args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});
