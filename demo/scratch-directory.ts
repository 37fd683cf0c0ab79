import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PARENT = '.reseolio';

/** A fresh directory, below the working directory if that can be written, that removes itself on disposal. */
export class ScratchDirectory implements Disposable {
  readonly path: string;

  constructor() {
    this.path = makeDirectory();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
    try {
      rmdirSync(PARENT);
    } catch {
      // It holds something else, or it is not there.
    }
  }
}

function makeDirectory(): string {
  try {
    mkdirSync(PARENT, { recursive: true });
    return mkdtempSync(resolve(PARENT, 'demo-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'reseolio-demo-'));
  }
}

/** The URL of an LMDB storage in `directory`. */
export function lmdbUrl(directory: string): string {
  return `lmdb://${directory.split(/[\\/]/).map(encodeURIComponent).join('/')}`;
}

/** Where the LMDB storage of `url` keeps its files. */
export function directoryOf(url: string): string {
  return resolve(decodeURIComponent(url.slice('lmdb://'.length).split('?')[0] as string));
}
