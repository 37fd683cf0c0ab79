import { existsSync, readFileSync } from 'node:fs';
import { query } from '../postgres-server/query.ts';
import type { StorageUnderTest } from './storage-under-test.ts';

/** Bytes that this process has sent to disks so far; null where the system does not tell. See proc(5), `write_bytes`. */
export function readOwnWrittenBytes(): number | null {
  if (!existsSync('/proc/self/io')) return null;
  const [, bytes] = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8')) ?? [];
  return Number(bytes);
}

/** The server's log so far: what a commit waits for. The pages of the tables follow at a checkpoint. */
async function readWalBytes(serverUrl: string): Promise<number> {
  const [row] = await query(serverUrl, `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`);
  return Number(row?.bytes);
}

/** What `work` has this process, or the server's log, write; null where that is not known. */
export async function countWritten<Result>(
  storage: StorageUnderTest,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly bytes: number | null }> {
  const read = async (): Promise<number | null> =>
    storage.kind === 'postgres' ? readWalBytes(storage.serverUrl) : readOwnWrittenBytes();
  const before = await read();
  const result = await work();
  const after = await read();
  return { result, bytes: before === null || after === null ? null : after - before };
}
