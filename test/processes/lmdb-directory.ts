import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'reseolio-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function openLmdb(directory: string, query = ''): Promise<LmdbStorage> {
  return LmdbStorage.open({
    ...parseLmdbUrl(`lmdb://${directory}${query}`),
    durability: 'strict',
    runtime: createSystemRuntime(),
  });
}
