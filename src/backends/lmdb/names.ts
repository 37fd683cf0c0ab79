import { JOB_STATES, type JobState } from '../../core/job.ts';
import type { NameCounts } from '../../core/storage.ts';
import { ALL_COUNTS, countsKey, countsNameId, nameKey, successor } from './keys.ts';
import type { Tree } from './tree.ts';

/** Names are long and keys hold many, so a name goes by a number of 32 bits. Names are never forgotten. */
export interface CountedName {
  readonly nameId: number;
  readonly name: string;
  readonly counts: Readonly<Record<JobState, number>>;
}

const COUNT_BYTES = 6;
const NAME_OFFSET = COUNT_BYTES * JOB_STATES.length;
const PAGE = 1000;

/** Remembers names that are committed; a name's number never changes, so what is remembered stays true. */
export class NameIndex {
  readonly #idByName = new Map<string, number>();
  readonly #nameById = new Map<number, string>();

  /** The number of `name`, or undefined if no job ever had it. */
  find(tree: Tree, name: string): number | undefined {
    const known = this.#idByName.get(name);
    if (known !== undefined) return known;
    const nameId = tree.get(nameKey(name))?.readUInt32BE(0);
    if (nameId !== undefined) this.remember(name, nameId);
    return nameId;
  }

  nameOf(tree: Tree, nameId: number): string {
    const known = this.#nameById.get(nameId);
    if (known !== undefined) return known;
    const key = countsKey(nameId);
    const { name } = decodeCounts(key, tree.get(key) as Buffer);
    this.remember(name, nameId);
    return name;
  }

  remember(name: string, nameId: number): void {
    this.#idByName.set(name, nameId);
    this.#nameById.set(nameId, name);
  }
}

export function readAllCounts(tree: Tree): CountedName[] {
  const all: CountedName[] = [];
  let start = ALL_COUNTS.start;
  for (;;) {
    const page = tree.scan({ start, end: ALL_COUNTS.end, limit: PAGE });
    for (const { key, value } of page) all.push(decodeCounts(key, value));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return all;
    start = successor(last.key);
  }
}

/** For {@link Storage.counts}: the names that have jobs, sorted. */
export function readNameCounts(tree: Tree): NameCounts[] {
  return readAllCounts(tree)
    .filter(({ counts }) => JOB_STATES.some((state) => counts[state] > 0))
    .map(({ name, counts }) => ({ name, ...counts }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function decodeCounts(key: Buffer, value: Buffer): CountedName {
  const counts = {} as Record<JobState, number>;
  JOB_STATES.forEach((state, i) => {
    counts[state] = value.readUIntBE(i * COUNT_BYTES, COUNT_BYTES);
  });
  return { nameId: countsNameId(key), name: value.toString('utf8', NAME_OFFSET), counts };
}

export function encodeCounts(name: string, counts: Readonly<Record<JobState, number>>): Buffer {
  const value = Buffer.alloc(NAME_OFFSET + Buffer.byteLength(name));
  JOB_STATES.forEach((state, i) => {
    value.writeUIntBE(counts[state], i * COUNT_BYTES, COUNT_BYTES);
  });
  value.write(name, NAME_OFFSET);
  return value;
}
