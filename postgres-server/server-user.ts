import { execFile, type SpawnOptions } from 'node:child_process';
import { chown, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Postgres refuses to run as root. The user that owns nothing exists without an account. */
const NOBODY = { uid: 65534, gid: 65534 };

/** Who runs the servers, for spawn: this process's own user, or nobody if that is root. */
export function serverUser(): Readonly<Pick<SpawnOptions, 'uid' | 'gid'>> {
  return process.getuid?.() === 0 ? NOBODY : {};
}

/** What the server's programs see of the environment: no `PG*` variable of the user may change a test. */
export const SERVER_ENVIRONMENT: Readonly<NodeJS.ProcessEnv> = { PATH: process.env.PATH, LC_ALL: 'C' };

/** Runs a program as the server's user and resolves with its output. Rejects with its errors if it fails. */
export async function runAsServerUser(command: string, args: readonly string[]): Promise<string> {
  const options = { ...serverUser(), env: SERVER_ENVIRONMENT, cwd: '/' };
  const { stdout } = await promisify(execFile)(command, args, options);
  return stdout.trim();
}

/** Makes a directory for temporary files that the server's user owns and can enter, and resolves with its path. */
export async function makeTemporaryDirectory(prefix: string): Promise<string> {
  const path = await mkdtemp(join(await temporaryRoot(), prefix));
  await giveToServerUser(path);
  return path;
}

/** The directory for temporary files, or another if that is closed to the server's user. */
export async function temporaryRoot(): Promise<string> {
  for (const path of [tmpdir(), '/tmp', '/var/tmp']) if (await isEnterable(path)) return path;
  throw new Error(`${tmpdir()} is closed to the user that runs Postgres, and so are /tmp and /var/tmp`);
}

export async function giveToServerUser(path: string): Promise<void> {
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** Whether the server's user can reach what is in the directory `path`. */
export async function isEnterable(path: string): Promise<boolean> {
  if (serverUser().uid === undefined) return true;
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    const found = await stat(directory).catch(() => null);
    if (found === null || (found.mode & 0o001) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}
