import type { Storage } from '../core/storage.ts';
import type { WorkNames } from '../worker/work-names.ts';

/** The names that one remote worker takes jobs of; they can be replaced at any time. */
export class RemoteNames implements WorkNames {
  #names: readonly string[] = [];
  #set: ReadonlySet<string> = new Set();
  readonly #listeners: (() => void)[] = [];

  get names(): readonly string[] {
    return this.#names;
  }

  has(name: string): boolean {
    return this.#set.has(name);
  }

  onAdded(listener: () => void): void {
    this.#listeners.push(listener);
  }

  replace(names: readonly string[]): void {
    this.#set = new Set(names);
    this.#names = [...this.#set];
    for (const listener of this.#listeners) listener();
  }
}

/** How often the names of all jobs are read anew while a worker asks for every name: hints may be lost. */
const REFRESH_INTERVAL_MS = 1000;

/** Every name that has jobs, for workers that ask for all of them. */
export class EveryName {
  readonly #storage: Pick<Storage, 'counts'>;
  readonly #followers = new Set<RemoteNames>();
  readonly #names = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #isRefreshing = false;

  constructor(storage: Pick<Storage, 'counts'>) {
    this.#storage = storage;
  }

  /** `names` hold every name, those that are yet to come too, until they are unfollowed. */
  follow(names: RemoteNames): void {
    this.#followers.add(names);
    names.replace([...this.#names]);
    void this.#refresh();
    this.#timer ??= setInterval(() => void this.#refresh(), REFRESH_INTERVAL_MS);
  }

  unfollow(names: RemoteNames): void {
    this.#followers.delete(names);
    if (this.#followers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#names.clear();
  }

  /** There are jobs of these names. */
  add(names: readonly string[]): void {
    if (this.#followers.size === 0) return;
    const before = this.#names.size;
    for (const name of names) this.#names.add(name);
    if (this.#names.size === before) return;
    for (const follower of this.#followers) follower.replace([...this.#names]);
  }

  /** One at a time: a storage that is slow is not asked more often. */
  async #refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      this.add((await this.#storage.counts()).map(({ name }) => name));
    } catch {
      // The next one may go through; what else is asked of the storage reports the error.
    }
    this.#isRefreshing = false;
  }
}
