/** Milliseconds on a clock that all processes of a box share and nobody sets. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
