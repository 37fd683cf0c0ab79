import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresServer } from '../postgres-server/postgres-server.ts';
import { query } from '../postgres-server/query.ts';
import { isEnterable } from '../postgres-server/server-user.ts';
import type { PostgresTargetParams } from './postgres-target.ts';
import { readServerCpuMicros } from './server-cpu.ts';

/** The server that all measures of a run on Postgres use, one after the other. */
export class BenchServer {
  readonly target: PostgresTargetParams;
  /** What it is, for the report. */
  readonly description: string;
  readonly #own: PostgresServer | null;

  /**
   * Starts a server in `directory`, or in the directory for temporary files where it cannot enter that; with `url`,
   * takes the one there.
   */
  static async open(url: string | null, directory: string): Promise<BenchServer> {
    const own = url === null ? await startIn(directory) : null;
    const serverUrl = url ?? (own as PostgresServer).url;
    const [row] = await query(serverUrl, 'show server_version');
    return new BenchServer(serverUrl, own, row?.server_version);
  }

  private constructor(serverUrl: string, own: PostgresServer | null, version: string) {
    this.target = {
      serverUrl,
      serverPid: own === null || readServerCpuMicros(own.pid) === null ? null : own.pid,
      schemaPrefix: `bench_${randomBytes(3).toString('hex')}_`,
    };
    const place = own === null ? 'as given' : `in ${own.directory}`;
    const cpu = this.target.serverPid === null ? '; its CPU time cannot be read and is left out' : '';
    this.description = `postgres ${version}, ${place}${cpu}`;
    this.#own = own;
  }

  /** Drops what the measures have made. */
  async clean(): Promise<void> {
    const { serverUrl, schemaPrefix } = this.target;
    const made = await query(serverUrl, 'select nspname from pg_namespace where starts_with(nspname, $1)', [
      schemaPrefix,
    ]);
    for (const { nspname } of made) await query(serverUrl, `drop schema "${nspname}" cascade`);
  }

  async close(): Promise<void> {
    if (this.#own === null) await this.clean();
    else await this.#own.stop('immediate');
  }
}

async function startIn(directory: string): Promise<PostgresServer> {
  // Postgres does not run as root, so another user has to get through to its files.
  chmodSync(directory, 0o711);
  const isThere = await isEnterable(directory);
  if (!isThere) console.log('the user that runs Postgres cannot enter the directory: measuring in another');
  return PostgresServer.start({ binaries: 'npm', ...(isThere ? { directory: join(directory, 'server') } : {}) });
}
