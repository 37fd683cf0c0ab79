import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type DemoRun, RUN_TIMEOUT_MS, runDemo, writeFiles } from './demo-process.ts';

const FILES = 40;

const directory = mkdtempSync(join(tmpdir(), 'reseolio-demo-test-'));
const files = join(directory, 'files');

beforeAll(() => writeFiles(files, FILES));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The directory of the server that a demo says it has started. */
function serverDirectory({ lines }: Pick<DemoRun, 'lines'>): string {
  const [found] = lines.flatMap((line) => /^PostgreSQL [\d.]+ runs for this demo in (\/\S+)$/.exec(line)?.[1] ?? []);
  return found ?? '';
}

describe('the demo on Postgres', () => {
  test(
    'loses nothing to three kills on a server of its own, which is gone at the end',
    async () => {
      const run = await runDemo(directory, [files, '--storage', 'postgres']);
      expect(run.stderr).toBe('');
      expect(JSON.parse(run.lines.at(-1) ?? '')).toEqual({
        jobs: FILES,
        kills: 3,
        lost: 0,
        wrong: 0,
        rerun: expect.any(Number),
        enqueueP50Ms: expect.any(Number),
        commitP50Ms: expect.any(Number),
        seconds: expect.any(Number),
      });
      expect(run.exitCode).toBe(0);
      expect(serverDirectory(run)).not.toBe('');
      expect(existsSync(serverDirectory(run))).toBe(false);
    },
    RUN_TIMEOUT_MS,
  );

  test(
    'takes its server away when it is interrupted',
    async () => {
      let wasThere = false;
      const run = await runDemo(directory, [files, '--storage', 'postgres'], (text, child) => {
        wasThere ||= existsSync(serverDirectory({ lines: text.split('\n') }));
        if (text.includes('kill 1:')) child.kill('SIGINT');
      });
      expect(run.stderr).toBe('demo: interrupted by SIGINT\n');
      expect(run.exitCode).toBe(130);
      expect(wasThere).toBe(true);
      expect(existsSync(serverDirectory(run))).toBe(false);
    },
    RUN_TIMEOUT_MS,
  );

  test(
    'leaves its jobs on a server that it was given',
    async () => {
      const url = inject('postgresUrl');
      const schema = `demo_${process.pid}`;
      const storage = `${url}?schema=${schema}`;
      const { lines, exitCode } = await runDemo(directory, [files, '--files', '1', '--storage', storage]);
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ jobs: 1, kills: 3, lost: 0, wrong: 0 });
      expect(exitCode).toBe(0);

      const client = new Client(url);
      await client.connect();
      const { rows } = await client.query(`select state from ${schema}.finished`);
      await client.query(`drop schema ${schema} cascade`);
      await client.end();
      expect(rows).toEqual([{ state: 'success' }]);
    },
    RUN_TIMEOUT_MS,
  );

  test('says where nobody answers', async () => {
    const { exitCode, stderr } = await runDemo(directory, [files, '--storage', 'postgres://127.0.0.1:1/nothing']);
    expect(stderr).toMatch(/^demo: postgres:\/\/127\.0\.0\.1:1\/nothing: the server cannot be reached/);
    expect(exitCode).toBe(1);
  });
});
