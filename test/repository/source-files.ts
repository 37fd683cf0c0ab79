import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository's root directory, from the sources as well as from their compiled copies. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]\.build[\\/]$/, sep);

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.build', 'coverage', 'results', 'peers']);

/** Paths below the root, with forward slashes, of the files in `folders` whose names match `pattern`. */
export function listFiles(folders: readonly string[], pattern: RegExp): string[] {
  return folders.flatMap((folder) => walk(join(ROOT, folder))).filter((path) => pattern.test(path));
}

function walk(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : walk(path);
    return [relative(ROOT, path).replaceAll('\\', '/')];
  });
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function parseSource(path: string, text = readText(path)): ts.SourceFile {
  return ts.createSourceFile(
    path,
    text,
    ts.ScriptTarget.ES2023,
    true,
    path.endsWith('.js') ? ts.ScriptKind.JS : undefined,
  );
}

/** Every node below `node`, in source order. */
export function* descendants(node: ts.Node): Generator<ts.Node> {
  for (const child of node.getChildren()) {
    yield child;
    yield* descendants(child);
  }
}

/** `path:line`, as an editor opens it. */
export function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

/** What a file imports, as written: static, type-only and dynamic imports, and re-exports. */
export function importSpecifiers(source: ts.SourceFile): string[] {
  const specifiers: string[] = [];
  for (const node of descendants(source)) {
    const specifier = specifierOf(node);
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) specifiers.push(specifier.text);
  }
  return specifiers;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  return undefined;
}
