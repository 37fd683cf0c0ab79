/** Sorted from small to large; the input stays as it is. */
function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The value below which `share` (0 to 1) of the values lie, by linear interpolation between the two nearest ranks. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no values were measured');
  const ordered = sorted(values);
  const rank = share * (ordered.length - 1);
  const below = ordered[Math.floor(rank)] as number;
  const above = ordered[Math.ceil(rank)] as number;
  return below + (above - below) * (rank - Math.floor(rank));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
