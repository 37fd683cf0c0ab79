import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openInstallation, openPackage } from '../../postgres-server/installation.ts';
import { temporaryRoot } from '../../postgres-server/server-user.ts';

/** A copy of the npm package as it is without install scripts: its libraries lack their short names. */
interface Bare {
  readonly native: string;
  readonly links: readonly string[];
}

async function makeBare(parent: string): Promise<Bare> {
  const { binaries } = await openInstallation('npm');
  await mkdir(parent);
  await promisify(execFile)('cp', ['-R', dirname(dirname(binaries)), join(parent, 'package')]);
  const native = join(parent, 'package', 'native');
  const list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  const links = list.map(({ target }) => join(native, 'lib', basename(target)));
  for (const link of links) await rm(link, { force: true });
  return { native, links };
}

describe('the npm package', () => {
  let directory = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(await temporaryRoot(), 'reseolio-test-'));
    await chmod(directory, 0o755);
    // What is cached for the copies goes with them.
    vi.stubEnv('TMPDIR', directory);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(directory, { recursive: true });
    });
  });

  test('gets the library links that it lacks, from several at once', async () => {
    const { native, links } = await makeBare(join(directory, 'open'));
    const opened = await Promise.all([openPackage(native), openPackage(native)]);
    expect(opened.map(({ binaries }) => binaries)).toEqual([join(native, 'bin'), join(native, 'bin')]);
    const names = await readdir(join(native, 'lib'));
    expect(names).toEqual(expect.arrayContaining(links.map((link) => basename(link))));
  });

  test('is copied from where it cannot run', async () => {
    const parent = join(directory, 'closed');
    const { native } = await makeBare(parent);
    // Root may link anywhere, but its servers cannot enter; others can enter, but not link.
    await chmod(parent, 0o700);
    await chmod(join(native, 'lib'), 0o555);
    onTestFinished(() => chmod(join(native, 'lib'), 0o755));
    const [first, second] = await Promise.all([openPackage(native), openPackage(native)]);
    expect(first.binaries.startsWith(parent)).toBe(false);
    expect(second).toEqual(first);
    expect(await openPackage(native)).toEqual(first);
  });
});
