import { posix } from 'node:path';

/** For each file, the paths of the files that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** Turns relative specifiers into paths from the root; packages are left out. */
export function resolveImports(path: string, specifiers: readonly string[]): string[] {
  return specifiers
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** One cycle, as the paths along it with the first repeated at the end, or null where there is none. */
export function findImportCycle(graph: ImportGraph): string[] | null {
  const done = new Set<string>();
  const trail: string[] = [];

  function visit(path: string): string[] | null {
    if (done.has(path)) return null;
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) return [...trail.slice(seenAt), path];
    trail.push(path);
    for (const target of graph.get(path) ?? []) {
      const cycle = visit(target);
      if (cycle !== null) return cycle;
    }
    trail.pop();
    done.add(path);
    return null;
  }

  for (const path of graph.keys()) {
    const cycle = visit(path);
    if (cycle !== null) return cycle;
  }
  return null;
}
