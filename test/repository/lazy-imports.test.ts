import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ROOT } from './source-files.ts';

const BUILD = join(ROOT, '.build');

/** The packages that a fresh Node process loads when it imports `specifier`, sorted. */
function packagesLoadedBy(specifier: string): string[] {
  const recorder = pathToFileURL(join(BUILD, 'test/repository/import-recorder.js')).href;
  const program = `await import(${JSON.stringify(specifier)});`;
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
  test('loads no package but msgpackr', () => {
    expect(packagesLoadedBy(builtModule('src/index.js'))).toEqual(['msgpackr']);
  });

  test('loads no package but msgpackr with the code that opens storage', () => {
    const loaded = packagesLoadedBy(builtModule('src/backends/open-storage.js'));
    expect(loaded.filter((name) => name !== 'msgpackr')).toEqual([]);
  });

  test('a heavy package that is loaded is seen', () => {
    expect(packagesLoadedBy('lmdb')).toContain('lmdb');
  });
});
