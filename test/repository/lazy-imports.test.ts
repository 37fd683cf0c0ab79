import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ROOT } from './source-files.ts';

const BUILD = join(ROOT, '.build');

/** The packages that a fresh Node process loads when it imports `specifier`, sorted. */
function packagesLoadedBy(specifier: string): string[] {
  return packagesLoadedByProgram(`await import(${JSON.stringify(specifier)});`);
}

function packagesLoadedByProgram(program: string): string[] {
  const recorder = pathToFileURL(join(BUILD, 'test/repository/import-recorder.js')).href;
  const child = spawnSync(process.execPath, ['--import', recorder, '--input-type=module', '--eval', program], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  expect(child.stderr).toBe('');
  expect(child.status).toBe(0);
  const urls = String(child.output[3]).trim().split('\n');
  const packages = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]);
  return [...new Set(packages.filter((name) => name !== undefined))].toSorted();
}

function builtModule(path: string): string {
  expect(existsSync(join(BUILD, path)), `${path} must be compiled first: npm run compile`).toBe(true);
  return pathToFileURL(join(BUILD, path)).href;
}

describe('importing reseolio', () => {
  test('loads no package but msgpackr and ms', () => {
    expect(packagesLoadedBy(builtModule('src/index.js'))).toEqual(['ms', 'msgpackr']);
  });

  test('loads no package but msgpackr with the code that opens storage', () => {
    const loaded = packagesLoadedBy(builtModule('src/backends/open-storage.js'));
    expect(loaded.filter((name) => name !== 'msgpackr')).toEqual([]);
  });

  test('loads what parses cron expressions only once a schedule is used', () => {
    const program = (use: string): string => `
      const { Reseolio } = await import(${JSON.stringify(builtModule('src/index.js'))});
      const reseolio = new Reseolio({ storage: 'memory://' });
      const f = reseolio.durable('f', () => 1);
      await reseolio.start();
      await (await f()).result();
      ${use}
      await reseolio.stop();`;
    const isCron = (name: string): boolean => name === 'cron-parser' || name === 'luxon';
    expect(packagesLoadedByProgram(program('')).filter(isCron)).toEqual([]);
    expect(packagesLoadedByProgram(program('await f.hourly();')).filter(isCron)).toContain('cron-parser');
  });

  test('commands that look into a storage load nothing of gRPC', () => {
    const program = (args: string): string => `
      const { run } = await import(${JSON.stringify(builtModule('src/cli/run.js'))});
      process.exitCode = await run(${args});`;
    const isGrpc = (name: string): boolean => name.includes('grpc');
    expect(packagesLoadedByProgram(program(`['counts', '--storage', 'memory://']`)).filter(isGrpc)).toEqual([]);
  });

  test('a heavy package that is loaded is seen', () => {
    expect(packagesLoadedBy('lmdb')).toContain('lmdb');
  });
});
