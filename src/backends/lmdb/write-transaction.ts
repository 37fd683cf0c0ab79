import { isFinished, JOB_STATES, type JobState } from '../../core/job.ts';
import { EMPTY, encodeJob, type StoredJob, stateCode } from './job-codec.ts';
import {
  countsKey,
  feedKey,
  finishedKey,
  type JobId,
  jobKey,
  leaseKey,
  liveKey,
  nameKey,
  pendingKey,
  SEQUENCES_KEY,
} from './keys.ts';
import { decodeCounts, encodeCounts, type NameIndex } from './names.ts';
import type { Tree } from './tree.ts';

/** How many commits' worth of ids other processes can fall behind before they look at all they wait for. */
const FEED_LENGTH = 1024;
const SEQUENCE_BYTES = 6;

export type CountDeltas = Record<JobState, number>;

interface Sequences {
  job: number;
  nameId: number;
  feed: number;
}

/**
 * One commit in the making, shared by all the operations that go into it. Counts and sequence numbers are gathered
 * here and written once, by {@link finish}.
 */
export class WriteTransaction {
  readonly tree: Tree;
  /** Ids of jobs that reached a final state. */
  readonly finishedIds: JobId[] = [];
  /** Ids of jobs that were sent a signal, or asked to stop. */
  readonly signalledIds: JobId[] = [];
  /** A job became pending. */
  hasNewWork = false;
  /** A schedule was made or changed other than by firing. */
  hasChangedSchedules = false;
  /** Names whose jobs became pending other than by an enqueue, which says so itself and earlier. */
  readonly workNames = new Set<string>();
  readonly #names: NameIndex;
  /** Kept apart until the commit has succeeded: an aborted one gives their numbers to others. */
  readonly #newNames = new Map<string, number>();
  readonly #newNamesById = new Map<number, string>();
  readonly #countDeltas = new Map<number, CountDeltas>();
  #sequences: Sequences | null = null;

  constructor(tree: Tree, names: NameIndex) {
    this.tree = tree;
    this.#names = names;
  }

  nextJobSequence(): number {
    return ++this.#loadSequences().job;
  }

  findNameId(name: string): number | undefined {
    return this.#newNames.get(name) ?? this.#names.find(this.tree, name);
  }

  nameIdOf(name: string): number {
    const known = this.findNameId(name);
    if (known !== undefined) return known;
    const nameId = ++this.#loadSequences().nameId;
    const value = Buffer.alloc(4);
    value.writeUInt32BE(nameId);
    this.tree.put(nameKey(name), value);
    this.tree.put(countsKey(nameId), encodeCounts(name, noCounts()));
    this.#newNames.set(name, nameId);
    this.#newNamesById.set(nameId, name);
    return nameId;
  }

  nameOf(nameId: number): string {
    return this.#newNamesById.get(nameId) ?? this.#names.nameOf(this.tree, nameId);
  }

  putJob(id: JobId, job: StoredJob): void {
    this.tree.put(jobKey(id), encodeJob(job));
  }

  count(nameId: number, state: JobState, delta: number): void {
    let deltas = this.#countDeltas.get(nameId);
    if (deltas === undefined) {
      deltas = noCounts();
      this.#countDeltas.set(nameId, deltas);
    }
    deltas[state] += delta;
  }

  /** Takes the job out of the indexes of the state that it is in. */
  removeFromIndexes(id: JobId, job: StoredJob): void {
    this.count(job.nameId, job.state, -1);
    if (job.state === 'pending') {
      this.tree.remove(pendingKey(job.nameId, job.priority, job.runAt, job.sequence));
    } else if (job.state === 'running') {
      this.tree.remove(leaseKey(job.leaseExpiresAt as number, id));
    }
  }

  /** Puts a job, in its new state, into that state's indexes. `previous` is the state it was in, null for a new one. */
  addToIndexes(id: JobId, job: StoredJob, previous: JobState | null): void {
    const wasStored = previous !== null;
    const wasLive = previous !== null && !isFinished(previous);
    const isLive = !isFinished(job.state);
    this.count(job.nameId, job.state, 1);
    if (job.state === 'pending') {
      this.tree.put(pendingKey(job.nameId, job.priority, job.runAt, job.sequence), id);
      this.hasNewWork = true;
      if (wasStored) this.workNames.add(this.nameOf(job.nameId));
    } else if (job.state === 'running') {
      this.tree.put(leaseKey(job.leaseExpiresAt as number, id), EMPTY);
    } else {
      this.finishedIds.push(id);
    }
    if (isLive === wasLive) return;
    if (isLive) this.tree.put(liveKey(job.nameId, job.createdAt, job.sequence), id);
    else this.#moveToFinished(id, job);
  }

  /** Writes what was gathered. `feedOrigin` names this process to the others, null when there are none to tell. */
  finish(feedOrigin: Buffer | null): void {
    for (const [nameId, deltas] of this.#countDeltas) this.#addCounts(nameId, deltas);
    if (feedOrigin !== null && this.finishedIds.length + this.signalledIds.length > 0) this.#writeFeed(feedOrigin);
    const sequences = this.#sequences;
    if (sequences === null) return;
    this.tree.put(SEQUENCES_KEY, encodeSequences(sequences));
  }

  /** To be called once the commit has succeeded. */
  rememberNames(): void {
    for (const [name, nameId] of this.#newNames) this.#names.remember(name, nameId);
  }

  #moveToFinished(id: JobId, job: StoredJob): void {
    const value = Buffer.allocUnsafe(id.length + 8 + job.parentId.length);
    id.copy(value);
    value.writeDoubleBE(job.finishedAt as number, id.length);
    job.parentId.copy(value, id.length + 8);
    this.tree.remove(liveKey(job.nameId, job.createdAt, job.sequence));
    this.tree.put(finishedKey(stateCode(job.state), job.nameId, job.createdAt, job.sequence), value);
  }

  #addCounts(nameId: number, deltas: CountDeltas): void {
    if (JOB_STATES.every((state) => deltas[state] === 0)) return;
    const key = countsKey(nameId);
    const { name, counts } = decodeCounts(key, this.tree.get(key) as Buffer);
    for (const state of JOB_STATES) deltas[state] += counts[state];
    this.tree.put(key, encodeCounts(name, deltas));
  }

  #writeFeed(origin: Buffer): void {
    const number = ++this.#loadSequences().feed;
    const finishedCount = Buffer.alloc(4);
    finishedCount.writeUInt32BE(this.finishedIds.length);
    const entry = Buffer.concat([origin, finishedCount, ...this.finishedIds, ...this.signalledIds]);
    this.tree.put(feedKey(number), entry);
    if (number > FEED_LENGTH) this.tree.remove(feedKey(number - FEED_LENGTH));
  }

  #loadSequences(): Sequences {
    this.#sequences ??= readSequences(this.tree);
    return this.#sequences;
  }
}

export function readSequences(tree: Tree): Sequences {
  const value = tree.get(SEQUENCES_KEY);
  if (value === undefined) return { job: 0, nameId: 0, feed: 0 };
  return {
    job: value.readUIntBE(0, SEQUENCE_BYTES),
    nameId: value.readUIntBE(SEQUENCE_BYTES, SEQUENCE_BYTES),
    feed: value.readUIntBE(2 * SEQUENCE_BYTES, SEQUENCE_BYTES),
  };
}

function encodeSequences({ job, nameId, feed }: Sequences): Buffer {
  const value = Buffer.alloc(3 * SEQUENCE_BYTES);
  value.writeUIntBE(job, 0, SEQUENCE_BYTES);
  value.writeUIntBE(nameId, SEQUENCE_BYTES, SEQUENCE_BYTES);
  value.writeUIntBE(feed, 2 * SEQUENCE_BYTES, SEQUENCE_BYTES);
  return value;
}

function noCounts(): CountDeltas {
  return { pending: 0, running: 0, success: 0, dead: 0, cancelled: 0 };
}
