import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads process ids until the pipe ends, which it does however the process at its other end dies. Then it ends the
 * last process that it was told of and removes the directory. A postmaster deletes its pid file when it is gone.
 */
const SCRIPT = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  left=50
  while [ $left -gt 0 ] && [ -e "$1/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null; do
    left=$((left - 1))
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null
fi
[ "$2" = remove ] || exit 0
for _ in 1 2 3 4 5; do rm -rf "$1" && exit 0; sleep 0.2; done
`;

export interface WatchdogParams {
  readonly directory: string;
  /** Whether the directory goes too. */
  readonly isTemporary: boolean;
}

/** Cleans up after this process if it dies before it does so itself, even from SIGKILL. */
export class Watchdog implements Disposable {
  readonly #process: ChildProcess;

  constructor({ directory, isTemporary }: WatchdogParams) {
    const args = ['-c', SCRIPT, 'watchdog', directory, isTemporary ? 'remove' : 'keep'];
    // In a session of its own: a signal to this process's group, such as Ctrl-C, must not reach it.
    this.#process = spawn('sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#process.unref();
    const stdin = this.#process.stdin as Socket;
    stdin.on('error', () => {}).unref();
  }

  /** From now on ends the process `pid`, or none if null. */
  guard(pid: number | null): void {
    this.#process.stdin?.write(`${pid ?? ''}\n`);
  }

  /** Dismisses the watchdog: there is nothing left to clean up. */
  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}
