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
  /** The segment reaches up to here at the least. */
  readonly end: number;
}

/** Milliseconds by which the clocks of a zone are ahead of UTC at an instant. */
export type OffsetAt = (instant: number) => number;

/** Finds out when the clocks of a zone are set forward and back, from their offsets alone. */
export class TimeZone {
  readonly #offsetAt: OffsetAt;
  /** The segment that was found last, as it is for the instants from `#from` to its end. */
  #segment: ZoneSegment = { offset: 0, start: 0, offsetBefore: 0, end: Number.NEGATIVE_INFINITY };
  #from = 0;

  constructor(offsetAt: OffsetAt) {
    this.#offsetAt = offsetAt;
  }

  /** The segment that `instant` lies in. */
  segmentAt(instant: number): ZoneSegment {
    if (!(instant >= this.#from && instant < this.#segment.end)) this.#findSegment(Math.floor(instant));
    return this.#segment;
  }

  #findSegment(instant: number): void {
    const [earliest, latest] = [instant - SPAN_MS, instant + SPAN_MS];
    const [offsetBefore, offset] = [this.#offsetAt(earliest), this.#offsetAt(instant)];
    const start = offsetBefore === offset ? earliest : this.#findChange(earliest, instant);
    const end = this.#findEnd(instant, latest, offset) ?? this.#findEnd(latest, latest + SPAN_MS, offset);
    this.#segment = { offset, offsetBefore, start, end: end ?? latest + SPAN_MS };
    this.#from = offsetBefore === offset ? instant : start;
  }

  /** The change between `low`, where the offset is `offset`, and `high`, if there is one. */
  #findEnd(low: number, high: number, offset: number): number | null {
    return this.#offsetAt(high) === offset ? null : this.#findChange(low, high);
  }

  /** The one change between `low` and `high`, whole numbers: the first instant with the offset that `high` has. */
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
