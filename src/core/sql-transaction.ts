/** What is used of a database client that is in a transaction: `pg` has it, and adapters for others are a few lines. */
export interface SqlTransaction {
  /** Runs a statement with `$1`, `$2`… in its place. Resolves with its rows by column name, or an object with `rows`. */
  query(text: string, values: unknown[]): Promise<unknown>;
}
