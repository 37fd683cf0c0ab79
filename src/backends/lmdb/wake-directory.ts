import { randomBytes } from 'node:crypto';
import {
  type FSWatcher,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  unlinkSync,
  utimes,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** At most one notification goes out in this time; the first of a burst goes out at once. */
const NOTIFY_INTERVAL_MS = 2;
/** How often each process touches its file, and looks for those of processes that died without a goodbye. */
const SWEEP_INTERVAL_MS = 10_000;
/** A file of another process id namespace that nobody has touched for so long belongs to nobody. */
const STALE_MS = 60_000;

/**
 * How processes of one box tell each other that there is something to see: each keeps a file in one directory, touches
 * it when it has committed something, and watches the directory for touches of the others (inotify and its like).
 * Notifications carry nothing and may get lost.
 */
export class WakeDirectory {
  readonly #directory: string;
  readonly #onWake: () => void;
  readonly #fileName = `${processNamespace()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  readonly #path: string;
  readonly #watcher: FSWatcher | null;
  readonly #sweeper: NodeJS.Timeout;
  #peers = 0;
  #isTouching = false;
  #isTouchPending = false;
  #isWakeScheduled = false;
  #isClosed = false;

  constructor(directory: string, onWake: () => void) {
    this.#directory = directory;
    this.#onWake = onWake;
    this.#path = join(directory, this.#fileName);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#watcher = this.#watch();
    this.#createFile();
    this.#sweep();
    this.#sweeper = setInterval(() => {
      this.#sweep();
      this.notify();
    }, SWEEP_INTERVAL_MS).unref();
  }

  /** Another process has the storage open, or had and died a short while ago. */
  get hasPeers(): boolean {
    return this.#peers > 0;
  }

  /** Tells the other processes, if there are any. Never throws and never waits. */
  notify(): void {
    if (this.#peers === 0 || this.#isClosed) return;
    if (this.#isTouching) {
      this.#isTouchPending = true;
      return;
    }
    this.#isTouching = true;
    const now = new Date();
    // The outcome does not matter: whoever misses a notification finds out with its next poll.
    utimes(this.#path, now, now, () => {
      setTimeout(() => this.#finishTouching(), NOTIFY_INTERVAL_MS).unref();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    this.#watcher?.close();
    removeIfThere(this.#path);
  }

  #finishTouching(): void {
    this.#isTouching = false;
    if (!this.#isTouchPending) return;
    this.#isTouchPending = false;
    this.notify();
  }

  /** null where the system has no more watches to give; polling does then. */
  #watch(): FSWatcher | null {
    try {
      const watcher = watch(this.#directory, (event, fileName) => this.#onEvent(event, fileName));
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }

  #onEvent(event: string, fileName: string | null): void {
    if (this.#isClosed) return;
    if (event === 'rename') this.#sweep();
    if (fileName === this.#fileName || this.#isWakeScheduled) return;
    this.#isWakeScheduled = true;
    setImmediate(() => {
      this.#isWakeScheduled = false;
      if (!this.#isClosed) this.#onWake();
    });
  }

  /** Counts the others and removes the files of those that are dead. */
  #sweep(): void {
    const names = readNames(this.#directory);
    this.#peers = 0;
    for (const name of names) {
      if (name === this.#fileName) continue;
      const path = join(this.#directory, name);
      if (isOwned(path, name)) this.#peers++;
      else removeIfThere(path);
    }
    // A process that was stopped for long may have been taken for dead by one of another namespace.
    if (!names.includes(this.#fileName)) this.#createFile();
  }

  #createFile(): void {
    try {
      writeFileSync(this.#path, '', { mode: 0o600 });
    } catch {
      // Without it the others do not hear of this process and find out with their next poll.
    }
  }
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Process ids mean something only among processes of one namespace; containers have each their own. */
function processNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** Whether the process that a file was made by is still there, as far as can be told from here. */
function isOwned(path: string, fileName: string): boolean {
  const [namespace, processId] = fileName.split('-');
  if (namespace === processNamespace()) return isAlive(Number(processId));
  try {
    return Date.now() - statSync(path).mtimeMs < STALE_MS;
  } catch {
    return false;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else removed it first.
  }
}
