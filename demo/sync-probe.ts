import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FloorProbe } from './floor-probe.ts';
import { directoryOf } from './scratch-directory.ts';

const PAGE_BYTES = 4096;
const PAGES = 64;

/** Measures how long a disk takes to make 4 KiB durable. */
export class SyncProbe implements FloorProbe {
  readonly figure = 'fsyncP50Ms';
  readonly #path: string;
  readonly #file: number;
  readonly #page = new Uint8Array(PAGE_BYTES).fill(1);
  #round = 0;

  /** Works on a file of its own in the directory of an LMDB storage, and removes it on disposal. */
  constructor(url: string) {
    this.#path = join(directoryOf(url), `sync-${process.pid}.tmp`);
    this.#file = openSync(this.#path, 'wx');
    // Written once before, so that no round pays for the growth of the file.
    writeSync(this.#file, new Uint8Array(PAGE_BYTES * PAGES));
    fdatasyncSync(this.#file);
  }

  describe(ms: number): string {
    return `the disk itself ${ms} ms to write and sync 4 KiB`;
  }

  /** Milliseconds of one write of 4 KiB and an fdatasync. */
  measureMs(): number {
    const position = (this.#round++ % PAGES) * PAGE_BYTES;
    const startedAt = performance.now();
    writeSync(this.#file, this.#page, 0, PAGE_BYTES, position);
    fdatasyncSync(this.#file);
    return performance.now() - startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.#file);
    unlinkSync(this.#path);
  }
}
