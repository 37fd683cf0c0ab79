import { join } from 'node:path';
import { PostgresServer } from '../postgres-server/postgres-server.ts';
import { CommitProbe } from './commit-probe.ts';
import type { FloorProbe } from './floor-probe.ts';
import { lmdbUrl, ScratchDirectory } from './scratch-directory.ts';
import { SyncProbe } from './sync-probe.ts';

/** Where a demo keeps its jobs. Disposal removes what was made for it. */
export interface DemoStorage extends AsyncDisposable {
  readonly url: string;
  /** What runs for it, for the person who watches; null: nothing. */
  readonly notice: string | null;
}

/** Resolves with a fresh storage for `lmdb` and `postgres`, or with the one of a URL, which stays. */
export async function openDemoStorage(storage: string): Promise<DemoStorage> {
  if (storage === 'lmdb') {
    const scratch = new ScratchDirectory();
    const url = lmdbUrl(join(scratch.path, 'storage'));
    return { url, notice: null, [Symbol.asyncDispose]: async () => scratch[Symbol.dispose]() };
  }
  if (storage === 'postgres') {
    const server = await PostgresServer.start();
    const notice = `PostgreSQL ${server.installation.version} runs for this demo in ${server.directory}`;
    return { url: server.url, notice, [Symbol.asyncDispose]: () => server.stop() };
  }
  return { url: storage, notice: null, [Symbol.asyncDispose]: async () => {} };
}

/** Of the storage at `url`, which is open. */
export async function openFloorProbe(url: string): Promise<FloorProbe> {
  return url.startsWith('lmdb://') ? new SyncProbe(url) : CommitProbe.open(url);
}
