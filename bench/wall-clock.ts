const TICKS = 5;

/** A clock that reads Unix milliseconds with their fractions, which `Date.now()` cuts off, until somebody sets the clock. */
export function fineWallClock(): () => number {
  let offset = Number.NEGATIVE_INFINITY;
  // A tick is noticed late, never early.
  for (let tick = 0; tick < TICKS; tick++) offset = Math.max(offset, nextTick() - performance.now());
  return () => offset + performance.now();
}

/** Waits, without giving way, until `Date.now()` has changed. */
function nextTick(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now;
}
