import { describe, expect, test } from 'vitest';
import { readText } from './source-files.ts';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: { readonly [name: string]: string };
}

const { packages } = JSON.parse(readText('package-lock.json')) as { packages: { [path: string]: LockedPackage } };

/** Whether `name`, as required from the package at `path`, is locked. */
function isLocked(path: string, name: string): boolean {
  for (let parent = path; ; parent = parent.slice(0, parent.lastIndexOf('/node_modules/'))) {
    if (packages[`${parent}/node_modules/${name}`]?.version !== undefined) return true;
    if (!parent.includes('/node_modules/')) return packages[`node_modules/${name}`]?.version !== undefined;
  }
}

describe('package-lock.json', () => {
  test('names no registry host', () => {
    expect(readText('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });

  // A registry that serves one platform only leaves the others out of the lock, and `npm ci` then refuses it.
  test('holds the optional packages of every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    expect(missing).toEqual([]);
    expect(isLocked('', 'lmdb')).toBe(true);
    expect(isLocked('node_modules/lmdb', 'not-locked')).toBe(false);
  });
});
