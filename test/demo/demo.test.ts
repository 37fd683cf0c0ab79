import { type ChildProcess, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../.build/demo/main.js', import.meta.url));
const FILES = 60;
const FILE_BYTES = 300_000;

const directory = mkdtempSync(join(tmpdir(), 'reseolio-demo-test-'));
const files = join(directory, 'files');
const empty = join(directory, 'empty');
const workingDirectory = join(directory, 'working');

/** For a run with kills, whose jobs come back after a lease each. */
const RUN_TIMEOUT_MS = 120_000;

beforeAll(() => {
  mkdirSync(join(files, 'below', '.hidden'), { recursive: true });
  mkdirSync(empty);
  mkdirSync(workingDirectory);
  for (let i = 0; i < FILES; i++) writeFileSync(join(files, i % 2 === 0 ? '' : 'below', `${i}.txt`), content(i));
  writeFileSync(join(files, 'below', '.hidden', 'left-out.txt'), 'hidden');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Text that differs from file to file and takes gzip a while. */
function content(seed: number): string {
  let text = '';
  for (let i = 0; text.length < FILE_BYTES; i++) text += createHash('sha256').update(`${seed}:${i}`).digest('hex');
  return text;
}

interface DemoRun {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

function runDemo(args: readonly string[], onOutput?: (text: string, child: ChildProcess) => void): Promise<DemoRun> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { cwd: workingDirectory }, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, lines: stdout.trimEnd().split('\n'), stderr });
    });
    child.stdout?.on('data', (text: string) => onOutput?.(text, child));
  });
}

describe('the demo', () => {
  test(
    'loses nothing to three kills, and leaves nothing behind',
    async () => {
      const { exitCode, lines, stderr } = await runDemo([files]);
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
      const { exitCode, lines, stderr } = await runDemo([files], (text, child) => {
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
      const { lines, exitCode } = await runDemo([files, '--files', '1', '--storage', 'lmdb://./kept']);
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
    ['a storage that several processes cannot share', ['--storage', 'memory://'], 'lives in one process'],
    ['an unknown storage', [files, '--storage', 'ftp://host'], 'is no storage URL'],
  ])('refuses %s', async (_title, args, message) => {
    const { exitCode, stderr } = await runDemo(args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});
