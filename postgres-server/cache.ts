import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToServerUser, serverUser, temporaryRoot } from './server-user.ts';
import { Watchdog } from './watchdog.ts';

export interface MakeOnceParams {
  /** What the directory is, for those who find it. */
  readonly name: string;
  /** What the content depends on. */
  readonly key: string;
  /** A path in the directory. Without it the directory is made again: something has swept old files away. */
  readonly sentinel: string;
  readonly fill: (directory: string) => Promise<void>;
}

/**
 * Resolves with the path of a directory that later runs of any process find again. Several processes that make it at
 * once do so side by side, and the first to be done wins.
 */
export async function makeOnce({ name, key, sentinel, fill }: MakeOnceParams): Promise<string> {
  const cache = await openCache();
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const path = join(cache, `${name}-${hash}`);
  if (existsSync(join(path, sentinel))) return path;

  const scratch = await mkdtemp(join(cache, 'unfinished-'));
  using _watchdog = new Watchdog({ directory: scratch, isTemporary: true });
  await giveToServerUser(scratch);
  try {
    await fill(scratch);
    await publish(scratch, path, sentinel);
    return path;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function publish(scratch: string, path: string, sentinel: string): Promise<void> {
  try {
    await rename(scratch, path);
  } catch (error) {
    if (existsSync(join(path, sentinel))) return;
    // Only a directory that is not empty is in the way.
    if (!existsSync(path)) throw error;
    await rm(path, { recursive: true, force: true });
    await rename(scratch, path);
  }
}

async function openCache(): Promise<string> {
  const uid = serverUser().uid ?? process.getuid?.();
  const path = join(await temporaryRoot(), `reseolio-postgres-cache-${uid}`);
  try {
    await mkdir(path, { mode: 0o700 });
    await giveToServerUser(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await lstat(path);
  const owners = [uid, process.getuid?.()];
  if (!found.isDirectory() || !owners.includes(found.uid)) throw new Error(`${path} belongs to someone else`);
  return path;
}
