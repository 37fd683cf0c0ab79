import { type CronCalendar, HORIZON_MS } from './cron-calendar.ts';
import { SPAN_MS, type TimeZone, type ZoneSegment } from './time-zone.ts';

/**
 * The occurrences of a schedule: the instants at which the clocks of a zone show what a cron expression names.
 *
 * A local time that the clocks skip happens as long after the change as it would have been after it without it: 02:30
 * becomes 03:30. One that they show twice happens the first time only. An expression that names every hour speaks of an
 * interval: it happens both times, so that it is even in real time.
 */
export class Recurrence {
  readonly #calendar: CronCalendar;
  readonly #zone: TimeZone;
  /** What was asked last: many schedules say the same, and are due at the same time. */
  #asked: Readonly<{ after: number; next: number | null }> = { after: Number.NaN, next: null };

  constructor(calendar: CronCalendar, zone: TimeZone) {
    this.#calendar = calendar;
    this.#zone = zone;
  }

  /** The first occurrence after `after`, or null if there is none within 28 years. Unix milliseconds. */
  next(after: number): number | null {
    if (this.#asked.after !== after) this.#asked = { after, next: this.#find(after) };
    return this.#asked.next;
  }

  #find(after: number): number | null {
    const limit = after + HORIZON_MS;
    let [at, from] = [after, after];
    while (at < limit) {
      const segment = this.#zone.segmentAt(at);
      const occurrence = this.#nextIn(segment, from);
      if (occurrence !== null) return occurrence;
      // However far the clocks are set back in between, they show nothing before this that is named.
      const named = this.#calendar.next(from + segment.offset - SPAN_MS);
      if (named === null) return null;
      at = Math.max(segment.end, named - segment.offset - SPAN_MS);
      from = at - 1;
    }
    return null;
  }

  /** The last `count` occurrences after `after` and not after `until`, oldest first. */
  lastOf(after: number, until: number, count: number): number[] {
    const first = this.firstOf(after, until, count + 1);
    if (first.length <= count) return first;
    // As much time before the end as held so many at the beginning, and twice as much as long as that holds too few.
    let span = (first.at(-1) as number) - (first[0] as number);
    for (;;) {
      span *= 2;
      const from = Math.max(after, until - span);
      const last = this.firstOf(from, until, Number.POSITIVE_INFINITY);
      if (last.length >= count || from === after) return last.slice(-count);
    }
  }

  /** The first `count` occurrences after `after` and not after `until`, oldest first. */
  firstOf(after: number, until: number, count: number): number[] {
    const occurrences: number[] = [];
    for (let at = this.next(after); at !== null && at <= until && occurrences.length < count; at = this.next(at)) {
      occurrences.push(at);
    }
    return occurrences;
  }

  #nextIn({ start, end, offset, offsetBefore }: ZoneSegment, from: number): number | null {
    const skippedUntil = start + offset - offsetBefore;
    let earliest = end;
    if (from < skippedUntil && offset > offsetBefore) {
      const skipped = this.#nextAtOffset(Math.max(from, start - 1), offsetBefore);
      if (skipped < skippedUntil) earliest = Math.min(earliest, skipped);
    }
    const repeatedUntil = this.#calendar.isInterval ? start : start + offsetBefore - offset;
    earliest = Math.min(earliest, this.#nextAtOffset(Math.max(from, repeatedUntil - 1), offset));
    return earliest < end ? earliest : null;
  }

  /** The first named time after `after`, if the clocks were `offset` ahead of UTC for ever. */
  #nextAtOffset(after: number, offset: number): number {
    const named = this.#calendar.next(after + offset);
    return named === null ? Number.POSITIVE_INFINITY : named - offset;
  }
}
