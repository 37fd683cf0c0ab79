/** The least that a durable write costs, which the figures are ratios to. */
export interface Floor {
  /** Makes one write and returns how long it took, milliseconds. */
  timeWrite(): number | Promise<number>;
  close(): void | Promise<void>;
}

/** Writes one after the other for `durationMs`. Resolves with how long each took, milliseconds. */
export async function sampleFloor(floor: Floor, durationMs: number): Promise<number[]> {
  const durations: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) durations.push(await floor.timeWrite());
  return durations;
}
