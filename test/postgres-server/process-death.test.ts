import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openInstallation } from '../../postgres-server/installation.ts';
import { isPortFree } from '../../postgres-server/port.ts';
import { query } from '../../postgres-server/query.ts';
import { temporaryRoot } from '../../postgres-server/server-user.ts';
import { TestProcess } from '../processes/child-process.ts';

const SCRIPT = 'test/processes/postgres-holder.js';
const NOBODY = 65534;

interface Started {
  readonly port: number;
  readonly directory: string;
}

async function started(holder: TestProcess): Promise<Started> {
  const line = await holder.line('started ');
  return JSON.parse(line.slice('started '.length)) as Started;
}

async function expectGone({ port, directory }: Started): Promise<void> {
  await expect.poll(() => isPortFree(port), { timeout: 10_000 }).toBe(true);
  await expect.poll(() => existsSync(directory), { timeout: 10_000 }).toBe(false);
}

test('a killed process takes its server along, with the directory', async () => {
  const holder = new TestProcess({ script: SCRIPT, args: ['npm'] });
  const server = await started(holder);
  expect(existsSync(server.directory)).toBe(true);
  await holder.kill();
  await expectGone(server);
});

test('a process that has nothing left to do ends, and its server too', async () => {
  const holder = new TestProcess({ script: SCRIPT, args: ['npm'] });
  const server = await started(holder);
  holder.process.stdin?.end();
  expect(await holder.exited()).toBe(0);
  await expectGone(server);
});

test('an ordinary user has servers too', async () => {
  const { binaries } = await openInstallation('npm');
  const directory = await mkdtemp(join(await temporaryRoot(), 'reseolio-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(directory, NOBODY, NOBODY);

  const holder = new TestProcess({
    script: SCRIPT,
    args: [binaries, ...(isRoot ? [`${NOBODY}`] : [])],
    wrapper: ['env', `TMPDIR=${directory}`],
  });
  const server = await started(holder);
  expect(server.directory.startsWith(directory)).toBe(true);
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  holder.say('stop');
  expect(await holder.exited()).toBe(0);
  expect(readdirSync(directory)).toEqual([expect.stringContaining('cache')]);
});
