import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_ENVIRONMENT, serverUser } from './server-user.ts';
import type { Watchdog } from './watchdog.ts';

/** The server's messages, in its data directory. */
export const LOG_FILE = 'server.log';

const START_TIMEOUT_MS = 120_000;
const STATUS_POLL_MS = 5;

/** How long a server may take for each kind of shutdown until it is asked less politely. */
const SHUTDOWN_TIMEOUT_MS = 20_000;

/** Lines of `postmaster.pid`, which the server writes for its own tools. */
const STATUS_LINE = 7;

export interface ServerProcessParams {
  /** Path of the program `postgres`. */
  readonly program: string;
  /** The data directory. */
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Told of the process, and of its end. */
  readonly watchdog: Watchdog;
}

/** A postmaster with all the processes it forks. Does not keep this process's event loop alive. */
export class ServerProcess {
  readonly pid: number;
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  private constructor(directory: string, process: ChildProcess) {
    this.pid = process.pid as number;
    this.#directory = directory;
    this.#process = process;
    this.#closed = once(process, 'close');
    this.#held.resume();
    this.#process.unref();
    this.#held.unref();
  }

  /** Resolves once the program runs; it does not answer yet. */
  static async spawn({ program, directory, settings, watchdog }: ServerProcessParams): Promise<ServerProcess> {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    await using log = await open(join(directory, LOG_FILE), 'a');
    // In a session of its own: Postgres would take a Ctrl-C that is meant for this process as a request to stop.
    const child = spawn(program, ['-D', directory, ...args], {
      ...serverUser(),
      env: SERVER_ENVIRONMENT,
      cwd: directory,
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'pipe'],
    });
    child.once('exit', () => watchdog.guard(null));
    if (child.pid !== undefined) watchdog.guard(child.pid);
    await once(child, 'spawn');
    return new ServerProcess(directory, child);
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves once the server takes connections. Rejects with the end of its log if it ends instead. */
  async answers(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#hasStatus('ready', 'standby'))) {
      if (!this.isRunning) throw new Error(`Postgres did not start:\n${await this.#logTail()}`);
      if (performance.now() > deadline) {
        await this.end('SIGKILL');
        throw new Error(`Postgres did not start within ${START_TIMEOUT_MS} ms:\n${await this.#logTail()}`);
      }
      await sleep(STATUS_POLL_MS);
    }
  }

  /** Resolves once the server has made its shared memory, which an orderly end from then on removes. */
  async hasMemory(): Promise<void> {
    while (this.isRunning && !(await this.#hasStatus('starting', 'ready', 'standby'))) await sleep(STATUS_POLL_MS);
  }

  /** Sends `signal`, or a stronger one if that takes too long. Resolves when the last of the processes is gone. */
  async end(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    this.#process.ref();
    this.#held.ref();
    for (const next of new Set([signal, 'SIGQUIT', 'SIGKILL'] as const)) {
      this.#process.kill(next);
      const timeout = AbortSignal.timeout(SHUTDOWN_TIMEOUT_MS);
      await Promise.race([this.#closed, once(timeout, 'abort')]);
      if (!timeout.aborted) return;
    }
    throw new Error(`processes of Postgres ${this.pid} are left after SIGKILL`);
  }

  /** A pipe that each of the server's processes inherits: Node reports the end of the child only once all are gone. */
  get #held(): Socket {
    return this.#process.stdio[3] as Socket;
  }

  async #hasStatus(...wanted: string[]): Promise<boolean> {
    const text = await readFile(join(this.#directory, 'postmaster.pid'), 'utf8').catch(() => '');
    const lines = text.split('\n');
    // The file of a killed server stays until the next one has looked at it.
    return lines[0] === `${this.pid}` && wanted.includes((lines[STATUS_LINE] ?? '').trim());
  }

  async #logTail(): Promise<string> {
    const text = await readFile(join(this.#directory, LOG_FILE), 'utf8');
    return text.slice(-2_000);
  }
}
