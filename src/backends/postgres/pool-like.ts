/** What is used of a connection of `pg`, which is all that a pool of the caller's own must give. */
export interface ClientLike {
  query(config: QueryConfig): Promise<{ rows: unknown[] }>;
  /** With an error, or true: the connection is not used again. */
  release(error?: Error | boolean): void;
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** A `pg.Pool`. */
export interface PoolLike {
  connect(): Promise<ClientLike>;
  /** Tells of each new connection. */
  on?(event: 'connect', listener: (client: ClientLike) => void): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  off?(event: 'connect', listener: (client: ClientLike) => void): unknown;
  off?(event: 'error', listener: (error: Error) => void): unknown;
  readonly options?: { readonly max?: number | undefined };
}

export interface QueryConfig {
  readonly text: string;
  readonly values?: unknown[];
  readonly name?: string;
  readonly rowMode?: 'array';
  readonly binary?: false;
  readonly types?: { getTypeParser(): (text: string) => string };
  readonly query_timeout?: number;
}

/** Rows as the server prints them, whatever the pool does for others. */
export const AS_TEXT = {
  rowMode: 'array',
  binary: false,
  types: { getTypeParser: () => (text: string) => text },
} as const;

/**
 * Takes a connection out of a pool. While it is out, the pool does not hear of its errors, and one that nobody hears of
 * is thrown at the process; whoever waits for an answer is told anyway.
 */
export async function checkOut(pool: PoolLike): Promise<ClientLike> {
  const client = await pool.connect();
  client.on('error', ignoreError);
  return client;
}

/** Gives a connection back, or up if it was lost. */
export function checkIn(client: ClientLike, isLost: boolean): void {
  client.release(isLost);
  // A connection that was given up may break once more while it is closed.
  if (!isLost) client.off('error', ignoreError);
}

/**
 * Hears of the errors of all connections of `pool`: one that breaks as soon as it is there does so before whoever asked
 * for it can listen, and one that breaks while it is idle is nobody's. Returns what stops it.
 */
export function hearErrors(pool: PoolLike): () => void {
  const hear = (client: ClientLike): void => {
    client.on('error', ignoreError);
  };
  pool.on?.('connect', hear);
  pool.on?.('error', ignoreError);
  return () => {
    pool.off?.('connect', hear);
    pool.off?.('error', ignoreError);
  };
}

function ignoreError(): void {}
