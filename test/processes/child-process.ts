import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const COMPILED = fileURLToPath(new URL('../../.build/', import.meta.url));

export interface ChildProcessParams {
  /** Path of the compiled script below `.build`. */
  readonly script: string;
  readonly args?: readonly string[];
  /** A command that runs node, e.g. `['strace', '-f']`. */
  readonly wrapper?: readonly string[];
  readonly onLine?: (line: string) => void;
}

/** A process of a test's own that reports in lines on its standard output. */
export class TestProcess {
  readonly process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #waiting: { readonly text: string; readonly resolve: (line: string) => void }[] = [];
  #partial = '';
  #stderr = '';

  constructor({ script, args = [], wrapper = [], onLine }: ChildProcessParams) {
    const [command, ...rest] = [...wrapper, process.execPath, `${COMPILED}${script}`, ...args];
    this.process = spawn(command as string, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.process, 'close');
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#partial + text).split('\n');
      this.#partial = lines.pop() as string;
      for (const line of lines) {
        onLine?.(line);
        this.#receive(line);
      }
    });
  }

  /** Resolves with the first line, past or to come, that begins with `text`; rejects if the process ends without. */
  async line(text: string): Promise<string> {
    const past = this.#lines.find((line) => line.startsWith(text));
    if (past !== undefined) return past;
    const future = new Promise<string>((resolve) => this.#waiting.push({ text, resolve }));
    const ended = this.#exited.then(() => {
      throw new Error(`the process ended without saying "${text}": ${this.#stderr}`);
    });
    return Promise.race([future, ended]);
  }

  get stderr(): string {
    return this.#stderr;
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves when the process has ended and all its output has been read. */
  async exited(): Promise<number | null> {
    await this.#exited;
    return this.process.exitCode;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#exited;
  }

  #receive(line: string): void {
    this.#lines.push(line);
    for (const waiting of this.#waiting) if (line.startsWith(waiting.text)) waiting.resolve(line);
  }
}
