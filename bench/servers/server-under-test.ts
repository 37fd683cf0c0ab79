import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../postgres-server/port.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const START_MS = 20_000;

/** A server of the protocol in a process of its own, on a free port of the loopback address. */
export class ServerUnderTest {
  readonly address: string;
  readonly #process: ChildProcess;

  /** `reseolio serve` of this tree. */
  static async startOurs(storage: string, flags: readonly string[] = []): Promise<ServerUnderTest> {
    const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
    return ServerUnderTest.#start((address) =>
      spawn(process.execPath, [main, 'serve', '--address', address, '--storage', storage, ...flags], {
        stdio: 'ignore',
      }),
    );
  }

  /** The server that the original SDK ships, on its SQLite file or on Postgres. */
  static async startOriginal(storage: string): Promise<ServerUnderTest> {
    const name = `reseolio-${process.platform}-${process.arch}`;
    const binary = join(ROOT, 'node_modules/reseolio-original/vendor', name);
    return ServerUnderTest.#start((address) =>
      spawn(binary, { stdio: 'ignore', env: { ...process.env, RESEOLIO_DB: storage, RESEOLIO_ADDR: address } }),
    );
  }

  static async #start(run: (address: string) => ChildProcess): Promise<ServerUnderTest> {
    const port = await findFreePort();
    const address = `127.0.0.1:${port}`;
    const child = run(address);
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with ${code} before it listened`);
    });
    died.catch(() => {});
    await Promise.race([untilListening(port), died]);
    return new ServerUnderTest(address, child);
  }

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#process = child;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  get pid(): number {
    return this.#process.pid as number;
  }
}

async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if (await isListening(port)) return;
    await setTimeout(20);
  }
  throw new Error(`no server listened within ${START_MS} ms`);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
