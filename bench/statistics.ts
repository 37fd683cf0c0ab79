/** Sorted from small to large; the input stays as it is. */
function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The value below which `share` (0 to 1) of the values lie, by linear interpolation between the two nearest ranks. */
export function quantile(values: readonly number[], share: number): number {
  return quantileOfSorted(sorted(values), share);
}

function quantileOfSorted(ordered: readonly number[], share: number): number {
  if (ordered.length === 0) throw new Error('no values were measured');
  const rank = share * (ordered.length - 1);
  const below = ordered[Math.floor(rank)] as number;
  const above = ordered[Math.ceil(rank)] as number;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** Where percentiles are taken for a distribution: p1 to p99, and p99.9. */
export const PERCENTS: readonly number[] = [...Array.from({ length: 99 }, (_, i) => i + 1), 99.9];

export function percentiles(values: readonly number[]): number[] {
  const ordered = sorted(values);
  return PERCENTS.map((percent) => quantileOfSorted(ordered, percent / 100));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
