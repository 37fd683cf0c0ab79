import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DiskFloor } from './disk-floor.ts';
import type { LmdbTarget } from './storage-under-test.ts';

/** Storages in a directory. The floor is a write to its disk. */
export function openLmdbTarget(directory: string): LmdbTarget {
  mkdirSync(directory, { recursive: true });
  const floor = new DiskFloor(directory);
  return {
    kind: 'lmdb',
    directory,
    floor,
    urlOf: (name) => `lmdb://${encodeURIComponent(join(directory, name))}`,
    remove: async (name) => rmSync(join(directory, name), { recursive: true, force: true }),
    close: async () => floor.close(),
  };
}
