import { arrayLiteral, textArrayLiteral } from './array-literal.ts';
import { type RunQuery, StaleQueryError } from './query.ts';

/** One order of claims: the jobs of one name and one priority. */
export interface Lane {
  readonly name: string;
  readonly priority: number;
}

/** As `0001-tables.sql` says: the lanes of a name are neighbours, the best first. */
const LANES_PER_NAME = 256;
const BEST_PRIORITY = 100;

/**
 * The lanes of a schema, as far as this storage has come across them. They are only ever added to, so what is known stays
 * true; a claim tells when there are more.
 */
export class Lanes {
  readonly #run: RunQuery;
  readonly #runOnce: RunQuery;
  readonly #byId = new Map<number, Lane>();
  readonly #nameIds = new Map<string, number>();
  readonly #idsByName = new Map<string, number[]>();
  #lastNumber = 0;

  constructor(run: RunQuery, runOnce: RunQuery) {
    this.#run = run;
    this.#runOnce = runOnce;
  }

  /** Of the last lane that is known; those beyond it are to be loaded. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Makes sure that there is a lane for each. null: there is, and nothing is to be waited for. */
  ensure(wanted: readonly Lane[]): Promise<void> | null {
    const missing = this.#listMissing(wanted);
    return missing.length === 0 ? null : this.#add(missing, this.#run, null);
  }

  /** Runs what needs a lane for each, and again if the server that had them was replaced. */
  async using<Result>(wanted: readonly Lane[], run: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const added = this.ensure(wanted);
      if (added !== null) await added;
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof StaleQueryError)) throw error;
      }
    }
  }

  /** There is a lane for each, and it is known. */
  knows(wanted: readonly Lane[]): boolean {
    return this.#listMissing(wanted).length === 0;
  }

  /** As {@link ensure}, but gives up, with a rejection, where it had to wait for somebody's transaction. */
  tryEnsure(wanted: readonly Lane[], lockTimeoutMs: number): Promise<void> | null {
    const missing = this.#listMissing(wanted);
    return missing.length === 0 ? null : this.#add(missing, this.#runOnce, lockTimeoutMs);
  }

  /** The id of a lane that was ensured. Throws a {@link StaleQueryError} if it has been forgotten since. */
  idOf(name: string, priority: number): number {
    const id = this.#find(name, priority);
    if (id === null) throw new StaleQueryError(`there is no lane for ${name} with priority ${priority}`);
    return id;
  }

  /** Another server may have taken over, which lacks some, or has others by the same ids. */
  forget(): void {
    this.#byId.clear();
    this.#nameIds.clear();
    this.#idsByName.clear();
    this.#lastNumber = 0;
  }

  /** The lanes of a name, best first. */
  listOf(name: string): readonly number[] {
    return this.#idsByName.get(name) ?? [];
  }

  /** Makes sure that `read` knows each of these. */
  async learn(ids: readonly number[]): Promise<void> {
    if (ids.some((id) => !this.#byId.has(id))) await this.load();
  }

  read(id: number): Lane {
    const lane = this.#byId.get(id);
    if (lane === undefined) throw new Error(`there is no lane ${id}`);
    return lane;
  }

  /** The ids of names: those that no job ever had are left out. */
  async nameIdsOf(names: readonly string[]): Promise<number[]> {
    if (names.some((name) => !this.#nameIds.has(name))) await this.load();
    return names.map((name) => this.#nameIds.get(name)).filter((id) => id !== undefined);
  }

  async load(): Promise<void> {
    const rows = await this.#run({
      name: 'lanes',
      text: `select l.id, l.number, n.name from {schema}.lanes l join {schema}.names n on n.id = l.id >> 8
        where l.number > $1 order by l.number`,
      values: [this.#lastNumber],
    });
    for (const [id, number, name] of rows) this.#remember(Number(id), Number(number), name as string);
  }

  #listMissing(wanted: readonly Lane[]): Lane[] {
    return wanted.filter(({ name, priority }) => this.#find(name, priority) === null);
  }

  async #add(lanes: readonly Lane[], run: RunQuery, lockTimeoutMs: number | null): Promise<void> {
    await run({
      name: 'add_lanes',
      text: 'select {schema}.add_lanes($1, $2, $3)',
      values: [
        textArrayLiteral(lanes.map(({ name }) => name)),
        arrayLiteral(lanes.map(({ priority }) => priority)),
        lockTimeoutMs,
      ],
    });
    await this.load();
  }

  #remember(id: number, number: number, name: string): void {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    if (this.#byId.has(id)) return;
    this.#byId.set(id, { name, priority: BEST_PRIORITY - (id % LANES_PER_NAME) });
    this.#nameIds.set(name, Math.floor(id / LANES_PER_NAME));
    const ids = this.#idsByName.get(name) ?? [];
    this.#idsByName.set(
      name,
      [...ids, id].sort((a, b) => a - b),
    );
  }

  #find(name: string, priority: number): number | null {
    const nameId = this.#nameIds.get(name);
    if (nameId === undefined) return null;
    const id = nameId * LANES_PER_NAME + BEST_PRIORITY - priority;
    return this.#byId.has(id) ? id : null;
  }
}
