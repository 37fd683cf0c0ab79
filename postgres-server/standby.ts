import { constants } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { PostgresServer } from './postgres-server.ts';
import { query } from './query.ts';
import { LOG_FILE } from './server-process.ts';
import { giveToServerUser } from './server-user.ts';

export interface StandbyOptions {
  /** Whether commits on the primary wait until this standby has them, from now on and also when it is gone. */
  readonly isSynchronous: boolean;
  /** Of small letters, digits and underscores; its `application_name` and its replication slot. Default: `standby`. */
  readonly name?: string;
}

const REPLICATION_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/** Directories of which a copy has nothing inside: the log comes over the replication slot, the rest dies with a server. */
const EMPTY_IN_COPY = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

const NOT_IN_COPY = new Set(['postmaster.pid', 'postmaster.opts', 'backup_label', LOG_FILE]);

/**
 * Starts a server that follows `primary`, with the same programs and settings. Resolves once it streams, and is
 * synchronous if it has to be. Of several synchronous ones the last counts.
 */
export async function startStandby(primary: PostgresServer, options: StandbyOptions): Promise<PostgresServer> {
  const name = options.name ?? 'standby';
  await query(primary.url, 'SELECT pg_create_physical_replication_slot($1, true)', [name]);
  const standby = await PostgresServer.start({
    binaries: primary.installation.binaries,
    settings: primary.settings,
    fill: (directory) => fillFromPrimary(primary, directory, name),
  });
  try {
    await untilStreaming(primary, name, ['async', 'sync']);
    if (options.isSynchronous) await makeSynchronous(primary, name);
    return standby;
  } catch (error) {
    await standby.stop();
    throw error;
  }
}

/** What pg_basebackup does, which the npm package lacks. The backup lasts as long as the connection. */
async function fillFromPrimary(primary: PostgresServer, directory: string, name: string): Promise<void> {
  const client = new Client(primary.url);
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    await copyDirectory(primary.directory, directory);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await writeFile(join(directory, 'backup_label'), rows[0]?.labelfile ?? '');
  } finally {
    await client.end();
  }
  const connection = `host=127.0.0.1 port=${primary.port} user=postgres application_name=${name}`;
  const settings = { primary_conninfo: connection, primary_slot_name: name, synchronous_standby_names: '' };
  const lines = Object.entries(settings).map(([setting, value]) => `${setting} = '${value}'\n`);
  await appendFile(join(directory, 'postgresql.auto.conf'), lines.join(''));
  await writeFile(join(directory, 'standby.signal'), '');
  for (const file of ['backup_label', 'standby.signal']) await giveToServerUser(join(directory, file));
}

/** Copies files that are being written to: the log that is replayed from the backup's start mends them. */
async function copyDirectory(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (NOT_IN_COPY.has(entry.name)) continue;
    if (entry.isDirectory()) {
      await mkdir(target, { mode: 0o700 });
      await giveToServerUser(target);
      if (!EMPTY_IN_COPY.has(entry.name)) await copyDirectory(source, target);
    } else {
      await copyFile(source, target, constants.COPYFILE_FICLONE).then(() => giveToServerUser(target), ignoreIfGone);
    }
  }
}

function ignoreIfGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function makeSynchronous(primary: PostgresServer, name: string): Promise<void> {
  await query(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await query(primary.url, 'SELECT pg_reload_conf()');
  await untilStreaming(primary, name, ['sync']);
  // The view shows what this connection has read, but commits wait from when the checkpointer has read it too. It does
  // so between two checkpoints.
  for (const _ of [1, 2]) await query(primary.url, 'CHECKPOINT');
}

async function untilStreaming(primary: PostgresServer, name: string, states: readonly string[]): Promise<void> {
  const text = "SELECT sync_state FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'";
  const deadline = performance.now() + REPLICATION_TIMEOUT_MS;
  for (;;) {
    const [row] = await query(primary.url, text, [name]);
    if (states.includes(row?.sync_state)) return;
    if (performance.now() > deadline) throw new Error(`${name} does not stream as ${states.join(' or ')}`);
    await sleep(POLL_MS);
  }
}
