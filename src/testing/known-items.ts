/** What a random run has come to know of one sort, oldest first. */
export class KnownItems<T> {
  readonly #items: T[] = [];

  get all(): readonly T[] {
    return this.#items;
  }

  add(...items: readonly T[]): void {
    this.#items.push(...items);
  }

  /** The one at `place`, counted back from the newest and round again; null if none is known. */
  fromNewest(place: number): T | null {
    const { length } = this.#items;
    return length === 0 ? null : (this.#items[length - 1 - (place % length)] as T);
  }
}
