import { describe, expect, test } from 'vitest';
import { listFiles, parseSource, readText } from './source-files.ts';
import * as rules from './style-rules.ts';

const CODE_FOLDERS = ['src', 'test', 'bench', 'demo', 'examples', 'scripts', 'postgres-server'];
const codePaths = listFiles(CODE_FOLDERS, /\.(ts|js)$/);
const sources = codePaths.map((path) => parseSource(path));
const textPaths = [
  ...listFiles([...CODE_FOLDERS, 'docs', '.ci'], /(\.(ts|js|md|sql|proto|json)|\/run)$/),
  ...listFiles(['.'], /^[^/]+\.(md|ts|js|json)$/).filter((path) => path !== 'package-lock.json'),
];

describe('style', () => {
  test('there is code to check', () => {
    expect(codePaths).toContain('src/core/storage.ts');
    expect(textPaths).toContain('package.json');
    expect(textPaths).toContain('.ci/run');
  });

  test('no file is longer than 300 lines', () => {
    expect(sources.flatMap(rules.findLongFile)).toEqual([]);
  });

  test('no function is longer than 60 lines', () => {
    expect(sources.flatMap(rules.findLongFunctions)).toEqual([]);
  });

  test('file names say what is in them', () => {
    expect(rules.findForbiddenNames(codePaths)).toEqual([]);
  });

  test('every value in src has a type', () => {
    const ours = sources.filter((source) => source.fileName.startsWith('src/'));
    expect(ours.flatMap(rules.findUntyped)).toEqual([]);
  });

  test('no test is skipped or singled out', () => {
    expect(sources.flatMap(rules.findSkippedTests)).toEqual([]);
  });

  test('nothing is left unfinished', () => {
    expect(textPaths.flatMap((path) => rules.findUnfinished(path, readText(path)))).toEqual([]);
  });

  test('no file names a path of one machine', () => {
    expect(textPaths.flatMap((path) => rules.findMachinePaths(path, readText(path)))).toEqual([]);
  });
});

describe('the style rules find what they are for', () => {
  const long = 'let x = 0;\n'.repeat(rules.MAX_FUNCTION_LINES);

  test.each([
    ['a long file', rules.findLongFile, 'x;\n'.repeat(rules.MAX_FILE_LINES + 1)],
    ['a long function', rules.findLongFunctions, `function f() {\n${long}}`],
    ['a long arrow function', rules.findLongFunctions, `const f = () => {\n${long}};`],
    ['a long method', rules.findLongFunctions, `class A { f() {\n${long}} }`],
    ['any', rules.findUntyped, 'let a: any;'],
    ['an untyped record', rules.findUntyped, 'let a: Record<string, unknown>;'],
    ['a skipped test', rules.findSkippedTests, `test.${'skip'}('a', () => {});`],
    ['a test singled out', rules.findSkippedTests, `describe.${'only'}('a', () => {});`],
  ])('%s', (_title, rule, text) => {
    expect(rule(parseSource('planted.ts', text))).toHaveLength(1);
  });

  test('a list of tests is not a long function', () => {
    const text = `describe('a', () => {\n${"test('b', () => {});\n".repeat(rules.MAX_FUNCTION_LINES)}});`;
    expect(rules.findLongFunctions(parseSource('planted.ts', text))).toEqual([]);
  });

  test('names, unfinished work and machine paths', () => {
    expect(rules.findForbiddenNames(['src/a/job-utils.ts', 'src/data.ts', 'src/database.ts'])).toHaveLength(2);
    expect(rules.findUnfinished('a.ts', `// ${'TO'}${'DO'}: later`)).toHaveLength(1);
    expect(rules.findMachinePaths('a.ts', `const a = '/${'home'}/someone';`)).toHaveLength(1);
  });
});
