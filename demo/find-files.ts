import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A file is read into memory whole, by several jobs at once. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * The first `limit` readable files below `directory`, in order of their paths. Leaves out hidden ones, symbolic links,
 * those above 16 MiB, and what cannot be read.
 */
export function findFiles(directory: string, limit: number): string[] {
  const found: string[] = [];
  for (const path of walk(directory)) {
    found.push(path);
    if (found.length === limit) break;
  }
  return found;
}

function* walk(directory: string): Generator<string> {
  for (const entry of listEntries(directory)) {
    if (entry.name.startsWith('.')) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile() && canCompress(path)) yield path;
  }
}

function listEntries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function canCompress(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).size <= MAX_FILE_BYTES;
  } catch {
    return false;
  }
}
