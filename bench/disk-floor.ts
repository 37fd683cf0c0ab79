import { randomFillSync } from 'node:crypto';
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 4096;
const FILE_BLOCKS = 4096;

/**
 * The least that a durable write costs on a disk: 4 KiB written into a file that is there already, then fdatasync.
 * Called from this thread, so nothing is in the figure but the system calls.
 */
export class DiskFloor {
  readonly #file: number;
  readonly #block = randomFillSync(Buffer.alloc(BLOCK_BYTES));
  #writes = 0;

  constructor(directory: string) {
    this.#file = openSync(join(directory, 'floor'), 'w');
    // With all blocks in place, fdatasync has no change of the file's size or layout to write.
    for (let block = 0; block < FILE_BLOCKS; block++) this.#write(block);
    fsyncSync(this.#file);
  }

  /** Makes one write and returns how long it took, milliseconds. */
  timeWrite(): number {
    const startedAt = performance.now();
    this.#block.writeUInt32LE(++this.#writes);
    this.#write(this.#writes % FILE_BLOCKS);
    fdatasyncSync(this.#file);
    return performance.now() - startedAt;
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(block: number): void {
    writeSync(this.#file, this.#block, 0, BLOCK_BYTES, block * BLOCK_BYTES);
  }
}
