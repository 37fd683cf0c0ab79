/** What is used of a connection of `pg`, which is all that a pool of the caller's own must give. */
export interface ClientLike {
  query(config: QueryConfig): Promise<{ rows: unknown[] }>;
  /** With an error, or true: the connection is not used again. */
  release(error?: Error | boolean): void;
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** A `pg.Pool`. */
export interface PoolLike {
  connect(): Promise<ClientLike>;
}

export interface QueryConfig {
  readonly text: string;
  readonly values?: unknown[];
  readonly name?: string;
  readonly rowMode?: 'array';
  readonly types?: { getTypeParser(): (text: string) => string };
  readonly query_timeout?: number;
}

/** Values as the server prints them. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text };
