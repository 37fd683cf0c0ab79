import { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';

/** Choices that follow from a seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = new DrivenRuntime({ seed }).random;
  }

  /** A whole number from `min` to `max`. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }

  is(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)] as Item;
  }

  list<Item>(min: number, max: number, make: () => Item): Item[] {
    return Array.from({ length: this.int(min, max) }, make);
  }
}
