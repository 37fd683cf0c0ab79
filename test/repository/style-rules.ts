import ts from 'typescript';
import { descendants, placeOf } from './source-files.ts';

export const MAX_FILE_LINES = 300;
export const MAX_FUNCTION_LINES = 60;

const FORBIDDEN_WORDS = ['util', 'helper', 'manager', 'common', 'misc', 'data'];

/** Calls that declare tests. A function that makes some is a list of tests, not a unit of logic. */
const TEST_DECLARATIONS = new Set(['describe', 'test', 'it', 'suite']);

export function findForbiddenNames(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    const words = (path.split('/').at(-1) ?? '').toLowerCase().split(/[-._]/);
    return words.some((word) => FORBIDDEN_WORDS.some((forbidden) => word === forbidden || word === `${forbidden}s`));
  });
}

export function findLongFile(source: ts.SourceFile): string[] {
  const lines = source.text.trimEnd().split('\n').length;
  return lines > MAX_FILE_LINES ? [`${source.fileName} has ${lines} lines`] : [];
}

export function findLongFunctions(source: ts.SourceFile): string[] {
  const found: string[] = [];
  for (const node of descendants(source)) {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || declaresTests(node.body)) continue;
    const lines = lineOf(source, node.getEnd()) - lineOf(source, node.getStart()) + 1;
    if (lines > MAX_FUNCTION_LINES) found.push(`${placeOf(node)} is a function of ${lines} lines`);
  }
  return found;
}

function declaresTests(body: ts.Node): boolean {
  return [...descendants(body)].some((node) => ts.isCallExpression(node) && isTestCallee(node.expression));
}

function isTestCallee(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return TEST_DECLARATIONS.has(callee.text);
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTestCallee(callee.expression);
  return ts.isTaggedTemplateExpression(callee) && isTestCallee(callee.tag);
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line;
}

/** `any` and `Record<string, unknown>`: types that stand for "I did not say". */
export function findUntyped(source: ts.SourceFile): string[] {
  const found: string[] = [];
  for (const node of descendants(source)) {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${placeOf(node)} says any`);
    if (!ts.isTypeReferenceNode(node) || node.typeName.getText() !== 'Record') continue;
    const kinds = node.typeArguments?.map((argument) => argument.kind) ?? [];
    if (kinds[0] === ts.SyntaxKind.StringKeyword && kinds[1] === ts.SyntaxKind.UnknownKeyword) {
      found.push(`${placeOf(node)} says ${node.getText()}`);
    }
  }
  return found;
}

/** Tests that are left out, or that leave others out. */
export function findSkippedTests(source: ts.SourceFile): string[] {
  const found: string[] = [];
  for (const node of descendants(source)) {
    if (!ts.isPropertyAccessExpression(node) || !isTestCallee(node.expression)) continue;
    if (['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails'].includes(node.name.text)) {
      found.push(`${placeOf(node)} says ${node.getText()}`);
    }
  }
  return found;
}

/** The words are put together here so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X'.repeat(3)].join('|')})\\b`);
const MACHINE_PATH = new RegExp(
  `(?<![\\w.*{}])/(${['ho' + 'me', 'ro' + 'ot', 'Us' + 'ers', 'wo' + 'rk'].join('|')})/\\w`,
);

export function findUnfinished(path: string, text: string): string[] {
  return findLines(path, text, UNFINISHED);
}

export function findMachinePaths(path: string, text: string): string[] {
  return findLines(path, text, MACHINE_PATH);
}

function findLines(path: string, text: string, pattern: RegExp): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}
