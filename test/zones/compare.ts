import type { ZoneClock } from './zone-clock.ts';
import { MINUTE_MS } from './zone-clock.ts';

/** What says when an expression happens next, Unix milliseconds. */
export interface Successor {
  next(after: number): number | null;
}

/** A stretch of time, from the first minute up to the second. */
export type Span = readonly [from: number, to: number];

/** What was found in the same spans by two, in minutes since 1970. */
export interface Comparison {
  /** Occurrences that both have. */
  readonly agreed: number;
  readonly onlyFirst: readonly number[];
  readonly onlySecond: readonly number[];
}

const DAY = 24 * 60;

/** Two days before and after each change, and the first days of each year, when clocks are quiet. */
export function spansAround(clock: ZoneClock, from: number, to: number): Span[] {
  const middles = clock.changes.map(({ at }) => at);
  for (let year = new Date(from * MINUTE_MS).getUTCFullYear(); ; year++) {
    const newYear = Date.UTC(year, 0, 3) / MINUTE_MS;
    if (newYear >= to) break;
    middles.push(newYear);
  }
  const spans: [number, number][] = [];
  for (const middle of middles.toSorted((a, b) => a - b)) {
    const [start, end] = [Math.max(middle - 2 * DAY, from), Math.min(middle + 2 * DAY, to)];
    const last = spans.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else if (start < end) spans.push([start, end]);
  }
  return spans;
}

/** All that a successor comes to within the spans. A time off the full minute is left as it is, so that it differs. */
export function occurrencesOf(successor: Successor, spans: readonly Span[]): number[] {
  const occurrences: number[] = [];
  for (const [from, to] of spans) {
    let at = successor.next(from * MINUTE_MS - 1);
    while (at !== null && at < to * MINUTE_MS) {
      occurrences.push(at / MINUTE_MS);
      const next = successor.next(at);
      if (next !== null && next <= at) throw new Error(`what comes after ${at} is ${next}`);
      at = next;
    }
  }
  return occurrences;
}

/** Those of a sorted list that lie within the spans, which are sorted too. */
export function within(occurrences: readonly number[], spans: readonly Span[]): number[] {
  const found: number[] = [];
  let i = 0;
  for (const occurrence of occurrences) {
    while (i < spans.length && occurrence >= (spans[i] as Span)[1]) i++;
    if (i < spans.length && occurrence >= (spans[i] as Span)[0]) found.push(occurrence);
  }
  return found;
}

/** Both lists are sorted and hold nothing twice. */
export function compare(first: readonly number[], second: readonly number[]): Comparison {
  const [onlyFirst, onlySecond]: [number[], number[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < first.length || j < second.length) {
    const [a, b] = [first[i] ?? Number.POSITIVE_INFINITY, second[j] ?? Number.POSITIVE_INFINITY];
    if (a < b) onlyFirst.push(a);
    if (b < a) onlySecond.push(b);
    if (a <= b) i++;
    if (b <= a) j++;
  }
  return { agreed: first.length - onlyFirst.length, onlyFirst, onlySecond };
}
