import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from 'vitest';
import { findImportCycle, resolveImports } from './import-cycles.ts';
import { importSpecifiers, listFiles, parseSource, ROOT } from './source-files.ts';

function readGraph(folders: readonly string[]): Map<string, string[]> {
  const paths = listFiles(folders, /\.ts$/);
  return new Map(paths.map((path) => [path, resolveImports(path, importSpecifiers(parseSource(path)))]));
}

describe('imports', () => {
  test('form no cycles in src, types included', () => {
    const graph = readGraph(['src']);
    expect(graph.get('src/core/storage.ts')).toContain('src/core/job.ts');
    expect(findImportCycle(graph)).toBeNull();
  });

  test('a cycle is found', () => {
    const graph = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts', 'd.ts']],
      ['c.ts', []],
      ['d.ts', ['b.ts']],
    ]);
    expect(findImportCycle(graph)).toEqual(['b.ts', 'd.ts', 'b.ts']);
  });

  test('every kind of import counts', () => {
    const text = `
      import './a.ts'; import type { B } from './b.ts'; export { c } from './c.ts'; export * from './d.ts';
      const e = await import('./e.ts'); type F = import('./f.ts').F;
    `;
    const paths = resolveImports('src/x/y.ts', importSpecifiers(parseSource('src/x/y.ts', text)));
    expect(paths).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `src/x/${name}.ts`));
  });
});

describe('lint refuses', () => {
  const eslint = new ESLint({ cwd: ROOT });

  /** Lints `code` as if it stood in `path`, whose rules then apply; only rules that need no types are listed. */
  async function rulesBroken(path: string, code: string): Promise<(string | null)[]> {
    const config = (await eslint.calculateConfigForFile(path)) as Linter.Config;
    const rules = Object.entries(config.rules ?? {}).filter(([rule]) => !rule.startsWith('@typescript-eslint/'));
    const planted = new ESLint({
      cwd: ROOT,
      overrideConfigFile: true,
      baseConfig: {
        files: ['**/*.ts'],
        languageOptions: { parser: tseslint.parser },
        plugins: config.plugins ?? {},
        rules: Object.fromEntries(rules),
      },
    });
    const [result] = await planted.lintText(code, { filePath: `${ROOT}${path}` });
    return (result?.messages ?? []).map(({ ruleId }) => ruleId);
  }

  test.each([
    ['core importing a backend', 'src/core/x.ts', "import '../backends/memory/memory-storage.ts';"],
    ['core importing node', 'src/core/x.ts', "import 'node:fs';"],
    ['msgpackr beside payload.ts', 'src/core/x.ts', "import 'msgpackr';"],
    ['one backend importing another', 'src/backends/lmdb/x.ts', "import '../memory/x.ts';"],
    ['lmdb outside its backend', 'src/client/x.ts', "import type { RootDatabase } from 'lmdb';"],
    ['a client naming a backend', 'src/client/x.ts', "await import('../backends/lmdb/lmdb-storage.ts');"],
    ['a backend loaded before it is asked for', 'src/backends/open-storage.ts', "import './lmdb/lmdb-storage.ts';"],
    ['a worker importing the client', 'src/worker/x.ts', "export { x } from '../client/x.ts';"],
    ['the testing entry importing the client', 'src/testing/x.ts', "import '../client/x.ts';"],
    ['the main entry naming a backend', 'src/index.ts', "export { x } from './backends/memory/x.ts';"],
    ['the main entry importing maintenance', 'src/index.ts', "export { x } from './maintenance/x.ts';"],
    ['a file without a place', 'src/x.ts', ''],
  ])('%s', async (_title, path, code) => {
    expect(await rulesBroken(path, code)).toEqual(['reseolio/import-arrows']);
  });

  test.each([
    ['Date.now()', 'no-restricted-properties'],
    ['new Date()', 'no-restricted-syntax'],
    ['Math.random()', 'no-restricted-properties'],
    ['setTimeout(f, 1)', 'no-restricted-globals'],
    ['globalThis.setTimeout(f, 1)', 'no-restricted-properties'],
    ['setInterval(f, 1)', 'no-restricted-globals'],
    ['setImmediate(f)', 'no-restricted-globals'],
    ['crypto.randomUUID()', 'no-restricted-globals'],
    ['performance.now()', 'no-restricted-globals'],
    ["await import('../core/x.ts'); let state = 0", 'no-restricted-syntax'],
    ["import { randomUUID } from 'node:crypto'", 'no-restricted-imports'],
  ])('%s in every folder that a simulator drives', async (code, rule) => {
    for (const folder of ['core', 'client', 'workflow', 'worker', 'maintenance', 'backends/memory']) {
      expect(await rulesBroken(`src/${folder}/x.ts`, code)).toContain(rule);
    }
  });

  test('nothing that is allowed', async () => {
    expect(await rulesBroken('src/core/runtime.ts', 'const now = Date.now();')).toEqual([]);
    expect(await rulesBroken('src/client/x.ts', "import '../backends/open-storage.ts';")).toEqual([]);
    expect(await rulesBroken('src/backends/open-storage.ts', "await import('./lmdb/x.ts');")).toEqual([]);
    expect(await rulesBroken('src/index.ts', "export { x } from './workflow/x.ts';")).toEqual([]);
    expect(await rulesBroken('src/core/x.ts', 'new Date(0);')).toEqual([]);
  });
});
