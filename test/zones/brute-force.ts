import type { PlainCron } from './plain-cron.ts';
import type { ZoneClock } from './zone-clock.ts';

const DAY = 24 * 60;

/** No wall clock is further from UTC than this, minutes. */
const MARGIN = 2 * DAY;

/**
 * The occurrences of some expressions by walking every minute of a stretch of time, with a note of each time that the
 * clocks have shown. Shares nothing with the library.
 */
export class BruteForce {
  readonly from: number;
  readonly to: number;
  readonly crons: readonly PlainCron[];
  /** Which expressions name a minute of the wall clock: a bit each. */
  readonly #named: Uint32Array;
  /** The last walk in which the clocks showed a minute. */
  readonly #shownIn: Uint16Array;
  /** Which expressions name a time that the clocks skipped, at the minute that it is shifted to. */
  readonly #shifted: Uint32Array;
  readonly #intervals: number;
  #walk = 0;

  /** From `from` up to `to`, both in minutes since 1970 and at midnight in UTC. At most 31 expressions. */
  constructor(crons: readonly PlainCron[], from: number, to: number) {
    this.crons = crons;
    this.from = from;
    this.to = to;
    const size = to - from + 4 * MARGIN;
    this.#named = new Uint32Array(size);
    this.#shownIn = new Uint16Array(size);
    this.#shifted = new Uint32Array(size);
    let intervals = 0;
    for (const [bit, cron] of crons.entries()) {
      if (cron.isInterval) intervals |= 1 << bit;
      this.#name(cron, 1 << bit);
    }
    this.#intervals = intervals;
  }

  /** Where a clock is to be read from and up to, so that this can walk it. */
  get clockRange(): readonly [from: number, to: number] {
    return [this.from - MARGIN, this.to];
  }

  /** The occurrences of each expression on the clocks of a zone, in minutes since 1970. */
  walk(clock: ZoneClock): number[][] {
    const occurrences: number[][] = this.crons.map(() => []);
    const walk = ++this.#walk;
    this.#shifted.fill(0);
    const changes = [...clock.changes];
    let offset = clock.offset;
    let before = this.from - MARGIN + offset - 1;
    for (let now = this.from - MARGIN; now < this.to; now++) {
      if (changes[0]?.at === now) offset = changes.shift()?.offset as number;
      const wall = now + offset;
      if (wall > before + 1) this.#shift(before + 1, wall, now);
      const named = this.#show(wall, walk) | (this.#shifted[this.#index(now)] as number);
      if (named !== 0 && now >= this.from) this.#note(named, now, occurrences);
      before = wall;
    }
    return occurrences;
  }

  #name(cron: PlainCron, bit: number): void {
    const { timesOfDay } = cron;
    for (let day = 0; day < this.#named.length; day += DAY) {
      if (!cron.namesDay((day + this.from - 2 * MARGIN) / DAY)) continue;
      for (const time of timesOfDay) this.#named[day + time] = (this.#named[day + time] as number) | bit;
    }
  }

  /** The clocks are set from `first` to `next`: what is named in between happens as long after this as it would have. */
  #shift(first: number, next: number, now: number): void {
    for (let wall = first; wall < next; wall++) {
      const index = this.#index(now + wall - first);
      if (this.#shownIn[this.#index(wall)] === this.#walk) continue;
      this.#shifted[index] = (this.#shifted[index] as number) | (this.#named[this.#index(wall)] as number);
    }
  }

  /** What happens when the clocks show a time: all that name it, or the intervals alone where it was shown before. */
  #show(wall: number, walk: number): number {
    const index = this.#index(wall);
    const named = this.#named[index] as number;
    if (this.#shownIn[index] === walk) return named & this.#intervals;
    this.#shownIn[index] = walk;
    return named;
  }

  #note(named: number, now: number, occurrences: readonly number[][]): void {
    for (let bits = named; bits !== 0; bits &= bits - 1) {
      occurrences[31 - Math.clz32(bits & -bits)]?.push(now);
    }
  }

  #index(minute: number): number {
    return minute - this.from + 2 * MARGIN;
  }
}
