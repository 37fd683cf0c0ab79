/** The names whose jobs a worker claims. */
export interface WorkNames {
  /** The same array until a name is added or taken away. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Calls `listener` whenever a name is added. */
  onAdded(listener: () => void): void;
}
