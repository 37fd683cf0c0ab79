/** Draws choices from one number, digit by digit, so that a smaller number is a plainer operation. */
export class Digits {
  #rest: number;

  constructor(number: number) {
    this.#rest = number;
  }

  /** A number from 0 to `count` - 1. */
  take(count: number): number {
    const digit = this.#rest % count;
    this.#rest = Math.floor(this.#rest / count);
    return digit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.take(choices.length)] as T;
  }

  /** `count` times what `draw` makes of the digits. */
  list<T>(count: number, draw: () => T): T[] {
    return Array.from({ length: count }, draw);
  }
}
