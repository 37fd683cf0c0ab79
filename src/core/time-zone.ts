/**
 * No two clocks on earth are further apart, and longer than any was ever set forward or back at once (a whole day, by
 * islands that crossed the date line).
 */
export const SPAN_MS = 26 * 3_600_000;

/** A stretch of time in which the clocks of a zone show one offset from UTC. */
export interface ZoneSegment {
  readonly offset: number;
  /** When the clocks were set to this offset, if that is less than 26 hours ago. */
  readonly start: number;
  /** The offset before that; the same as `offset` where there was no such change. */
  readonly offsetBefore: number;
  /** The segment reaches up to here at the least; 26 hours ahead where no change comes first. */
  readonly end: number;
}

/** Milliseconds by which the clocks of a zone are ahead of UTC at an instant. */
export type OffsetAt = (instant: number) => number;

/** Finds out when the clocks of a zone are set forward and back, from their offsets alone. */
export class TimeZone {
  readonly #offsetAt: OffsetAt;
  /** No change comes within 26 hours of any instant between these. */
  #quiet: Readonly<{ from: number; to: number; offset: number }> = { from: 0, to: -1, offset: 0 };

  constructor(offsetAt: OffsetAt) {
    this.#offsetAt = offsetAt;
  }

  /** The segment that `instant` lies in. */
  segmentAt(instant: number): ZoneSegment {
    const { from, to, offset } = this.#quiet;
    if (instant >= from && instant <= to) {
      return { offset, offsetBefore: offset, start: instant - SPAN_MS, end: instant + SPAN_MS };
    }
    return this.#findSegment(instant);
  }

  #findSegment(instant: number): ZoneSegment {
    const [earliest, latest] = [instant - SPAN_MS, instant + SPAN_MS];
    const [offsetBefore, offset, offsetAfter] = [earliest, instant, latest].map(this.#offsetAt) as [
      number,
      number,
      number,
    ];
    if (offsetBefore === offset && offset === offsetAfter && this.#offsetAt(latest + SPAN_MS) === offset) {
      this.#quiet = { from: instant, to: latest, offset };
    }
    return {
      offset,
      offsetBefore,
      start: offsetBefore === offset ? earliest : this.#findChange(earliest, instant),
      end: offsetAfter === offset ? latest : this.#findChange(instant, latest),
    };
  }

  /** The one change between `low` and `high`: the first instant with the offset that `high` has. */
  #findChange(low: number, high: number): number {
    const offset = this.#offsetAt(high);
    let [before, from] = [low, high];
    while (from - before > 1) {
      const middle = Math.floor((before + from) / 2);
      if (this.#offsetAt(middle) === offset) from = middle;
      else before = middle;
    }
    return from;
  }
}
