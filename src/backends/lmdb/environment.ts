import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import { ReseolioError } from '../../core/errors.ts';
import type { Durability, StorageHint } from '../../core/storage.ts';
import { type CommitMode, CommitModeChooser } from './commit-mode.ts';
import { Committer } from './committer.ts';
import { FORMAT_KEY, formatJobId, type JobId } from './keys.ts';
import { NameIndex } from './names.ts';
import { FeedReader } from './operations/read-feed.ts';
import { readScheduleTotals } from './schedules.ts';
import { type Database, Tree } from './tree.ts';
import { WakeDirectory } from './wake-directory.ts';
import type { WriteTransaction } from './write-transaction.ts';

/** `MDB_MAGIC`, behind the page header of the first meta page (`mdb.c` of the LMDB that the npm package contains). */
const META_MAGIC = 0xbeefc0de;
const META_MAGIC_AT = 24;

/** Version of the layout in `keys.ts` and of the records in the `*-codec.ts` files. */
const FORMAT_VERSION = 2;

export interface EnvironmentParams {
  readonly directory: string;
  readonly durability: Durability;
  readonly commitMode: CommitMode;
  readonly commitTimeoutMs: number;
}

/**
 * LMDB allows one open environment a directory and process: a second one would wait for the first one's lock on the
 * very thread that has to release it. So clients of one process share it, and this map is the one piece of state that
 * the library keeps outside of its objects.
 */
const openEnvironments = new Map<string, Environment>();

/** An open database with what all its users of this process share: commits, wake-ups and hints. */
export class Environment {
  readonly tree: Tree;
  readonly names = new NameIndex();
  readonly committer: Committer;
  readonly #params: EnvironmentParams;
  readonly #database: Database;
  readonly #wake: WakeDirectory;
  /** null until the format is known to be ours. */
  #feed: FeedReader | null = null;
  /** Seen so far. */
  #scheduleChanges = 0;
  readonly #origin = randomBytes(8);
  readonly #listeners = new Set<(hint: StorageHint) => void>();
  #users = 0;
  #closing: Promise<void> | null = null;

  /** Opens the database in `directory`, or joins those of this process who have it open. */
  static async acquire(params: EnvironmentParams): Promise<Environment> {
    const directory = prepareDirectory(params.directory);
    let environment = openEnvironments.get(directory);
    while (environment !== undefined && environment.#closing !== null) {
      await environment.#closing;
      environment = openEnvironments.get(directory);
    }
    if (environment === undefined) {
      environment = new Environment({ ...params, directory });
      openEnvironments.set(directory, environment);
    }
    if (environment.committer.failure !== null) throw environment.committer.failure;
    environment.#users++;
    try {
      environment.#assertSameSettings(params);
      await environment.#checkFormat();
    } catch (error) {
      await environment.release();
      throw error;
    }
    return environment;
  }

  private constructor(params: EnvironmentParams) {
    this.#params = params;
    this.#database = openDatabase(params);
    this.tree = new Tree(this.#database);
    this.#wake = openWakeDirectory(params.directory, this.#database, () => this.#onWake());
    this.committer = new Committer({
      database: this.#database,
      names: this.names,
      directory: params.directory,
      isRelaxed: params.durability === 'relaxed',
      mode: new CommitModeChooser(params.commitMode, () => !this.#wake.hasPeers),
      commitTimeoutMs: params.commitTimeoutMs,
      feedOrigin: () => (this.#wake.hasPeers ? this.#origin : null),
      onCommitted: (transaction) => this.#onCommitted(transaction),
      onFailed: (error) => this.emit({ kind: 'failed', error }),
    });
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    // A listener that is passed twice is called twice.
    const entry = (hint: StorageHint): void => listener(hint);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  emit(hint: StorageHint): void {
    for (const listener of this.#listeners) listener(hint);
  }

  /** Closes the database when the last of its users lets go. Who opens it in the meantime waits for that. */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.committer.idle();
    this.#wake.close();
    // After a failure a commit may be under way that never returns, and nothing must be written through what is left:
    // the environment stays as it is, and this process is refused from now on.
    if (this.committer.failure === null) {
      await this.#database.close();
      openEnvironments.delete(this.#params.directory);
    }
    this.#closing = null;
  }

  #onCommitted(transaction: WriteTransaction): void {
    const { finishedIds, signalledIds, workNames, hasNewWork, hasChangedSchedules } = transaction;
    if (workNames.size > 0) this.emit({ kind: 'work', names: [...workNames] });
    this.#emitOfJobs('finished', formatJobIds(finishedIds));
    this.#emitOfJobs('signals', formatJobIds(signalledIds));
    if (hasChangedSchedules) this.emit({ kind: 'schedules' });
    const hasFed = finishedIds.length > 0 || signalledIds.length > 0;
    if (hasNewWork || hasFed || hasChangedSchedules) this.#wake.notify();
  }

  #onWake(): void {
    if (this.committer.failure !== null || this.#feed === null) return;
    this.tree.refresh();
    this.emit({ kind: 'work', names: null });
    const news = this.#feed.readNew();
    this.#emitOfJobs('finished', news?.settledIds ?? null);
    this.#emitOfJobs('signals', news?.signalledIds ?? null);
    const { changes } = readScheduleTotals(this.tree);
    if (changes !== this.#scheduleChanges) this.emit({ kind: 'schedules' });
    this.#scheduleChanges = changes;
  }

  /** `jobIds`: null for some that are not known. */
  #emitOfJobs(kind: 'finished' | 'signals', jobIds: readonly string[] | null): void {
    if (jobIds === null || jobIds.length > 0) this.emit({ kind, jobIds });
  }

  #assertSameSettings({ durability, commitMode }: EnvironmentParams): void {
    const own = this.#params;
    if (own.durability === durability && own.commitMode === commitMode) return;
    throw new ReseolioError(
      'storage_unavailable',
      `${own.directory} is open in this process with durability ${own.durability} and commit ${own.commitMode}: use the same settings`,
    );
  }

  async #checkFormat(): Promise<void> {
    const { directory } = this.#params;
    this.tree.refresh();
    const stored = this.tree.get(FORMAT_KEY);
    if (stored === undefined) {
      if (this.tree.first({ start: Buffer.from([0]), end: Buffer.from([0xff]) }) !== undefined) {
        throw new ReseolioError('storage_unavailable', `${directory} holds a database of another program`);
      }
      const version = Buffer.alloc(4);
      version.writeUInt32BE(FORMAT_VERSION);
      await this.committer.submit(({ tree }) => tree.put(FORMAT_KEY, version));
    } else {
      assertKnownFormat(stored.readUInt32BE(0), directory);
    }
    this.#feed ??= new FeedReader(this.tree, this.#origin);
  }
}

function formatJobIds(ids: readonly JobId[]): string[] {
  return ids.map((id) => formatJobId(id));
}

function assertKnownFormat(version: number, directory: string): void {
  if (version === FORMAT_VERSION) return;
  const advice = version > FORMAT_VERSION ? 'upgrade reseolio' : 'use the version that made it, or another directory';
  throw new ReseolioError(
    'storage_version',
    `${directory} has format ${version}, this version of reseolio reads ${FORMAT_VERSION}: ${advice}`,
  );
}

function openWakeDirectory(directory: string, database: Database, onWake: () => void): WakeDirectory {
  try {
    return new WakeDirectory(join(directory, 'wake'), onWake);
  } catch (error) {
    void database.close();
    throw unavailable(directory, error);
  }
}

function prepareDirectory(directory: string): string {
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(directory);
  } catch (error) {
    throw unavailable(directory, error);
  }
}

/** As `mkdirSync` does recursively, which never returns for some paths below /proc (seen with Node 20). */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** LMDB maps whatever file it finds, and a file that is none of its own takes the process down. */
function assertLmdbFile(path: string): void {
  const descriptor = openSync(path, 'r');
  const head = Buffer.alloc(META_MAGIC_AT + 4);
  const length = readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  if (length === 0 || head.readUInt32LE(META_MAGIC_AT) === META_MAGIC) return;
  throw new Error(`${path} is not an LMDB database, or it is damaged`);
}

/** Arguments may be confidential, also in a directory that was there before and lets others in. */
function keepFilesPrivate(directory: string): void {
  for (const file of ['data.mdb', 'lock.mdb']) chmodSync(join(directory, file), 0o600);
}

/**
 * Address space, not memory and no cap: beyond it the package grows the map, and it does so on whichever thread notices,
 * under transactions that run on another. LMDB itself asks that there be none.
 */
const MAP_BYTES = 2 ** 36;

function openDatabase({ directory, durability }: EnvironmentParams): Database {
  const isNew = !existsSync(join(directory, 'data.mdb'));
  try {
    if (!isNew) assertLmdbFile(join(directory, 'data.mdb'));
    const database = open<Buffer, Buffer>({
      path: directory,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      // With overlapping syncs a commit is visible to others, and acknowledged, before it is on disk.
      overlappingSync: durability === 'relaxed',
      // Batching is the committer's; the package's own leaves a promise behind that rejects with nobody to hear it.
      eventTurnBatching: false,
      maxDbs: 1,
      mapSize: MAP_BYTES,
    });
    // The modes of files that are there already are their owner's choice.
    if (isNew) keepFilesPrivate(directory);
    return database;
  } catch (error) {
    throw unavailable(directory, error);
  }
}

function unavailable(directory: string, cause: unknown): ReseolioError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReseolioError('storage_unavailable', `cannot open ${directory} as a storage: ${reason}`, { cause });
}
