import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PAGE_BYTES = 4096;
const PAGES = 64;

/** Measures how long a disk takes to make 4 KiB durable. */
export class SyncProbe implements Disposable {
  readonly #path: string;
  readonly #file: number;
  readonly #page = new Uint8Array(PAGE_BYTES).fill(1);
  #round = 0;

  /** Works on a file of its own in `directory`, and removes it on disposal. */
  constructor(directory: string) {
    this.#path = join(directory, `sync-${process.pid}.tmp`);
    this.#file = openSync(this.#path, 'wx');
    // Written once before, so that no round pays for the growth of the file.
    writeSync(this.#file, new Uint8Array(PAGE_BYTES * PAGES));
    fdatasyncSync(this.#file);
  }

  /** Milliseconds of one write of 4 KiB and an fdatasync. */
  measureMs(): number {
    const position = (this.#round++ % PAGES) * PAGE_BYTES;
    const startedAt = performance.now();
    writeSync(this.#file, this.#page, 0, PAGE_BYTES, position);
    fdatasyncSync(this.#file);
    return performance.now() - startedAt;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
    unlinkSync(this.#path);
  }
}
