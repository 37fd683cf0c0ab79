/** Measures the least that a durable write can take in a storage. */
export interface FloorProbe extends AsyncDisposable {
  /** The name of its figure in the summary. */
  readonly figure: 'fsyncP50Ms' | 'commitP50Ms';
  /** What it measures, with `ms` milliseconds. */
  describe(ms: number): string;
  measureMs(): number | Promise<number>;
}
