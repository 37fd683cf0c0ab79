import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildParams {
  /** Path of the compiled program below `.build/bench`, without its ending. */
  readonly program: string;
  readonly args: readonly string[];
}

/** A process that runs one program of the bench and talks in messages. */
export class Child {
  readonly #process: ChildProcess;
  readonly #messages: unknown[] = [];
  readonly #ended: Promise<void>;
  #waiting: ((message: unknown) => void) | null = null;

  constructor({ program, args }: ChildParams) {
    this.#process = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), args, { execArgv: [] });
    this.#process.on('message', (message) => this.#receive(message));
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}`));
      });
    });
    // Whoever waits for the end or for a message hears of it.
    this.#ended.catch(() => {});
  }

  /** Resolves with the next message; rejects if the process ends without one. `Message` is what the program sends. */
  next<Message>(): Promise<Message> {
    const received = this.#messages.shift();
    if (received !== undefined) return Promise.resolve(received as Message);
    const message = new Promise<unknown>((resolve) => {
      this.#waiting = resolve;
    });
    const ended = this.#ended.then(() => {
      throw new Error('the process ended without an answer');
    });
    return Promise.race([message, ended]) as Promise<Message>;
  }

  send(message: string): void {
    this.#process.send(message);
  }

  /** Resolves when the process has ended well. */
  ended(): Promise<void> {
    return this.#ended;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #receive(message: unknown): void {
    const resolve = this.#waiting;
    this.#waiting = null;
    if (resolve === null) this.#messages.push(message);
    else resolve(message);
  }
}
