import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipBuffer = promisify(gzip);

/** What a job of the demo returns. */
export interface CompressedFile {
  /** Bytes in the file. */
  readonly size: number;
  /** Bytes after gzip. */
  readonly compressedSize: number;
  /** Of the file's content, in hexadecimal. */
  readonly sha256: string;
}

/** Reads and gzips a file. The same content gives the same result in every process: no time stamp goes in. */
export async function compressFile(path: string): Promise<CompressedFile> {
  const content = await readFile(path);
  const compressed = await gzipBuffer(content);
  return {
    size: content.length,
    compressedSize: compressed.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}
