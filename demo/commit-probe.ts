import type { ClientLike } from '../src/backends/postgres/pool-like.ts';
import { parsePostgresUrl } from '../src/backends/postgres/postgres-url.ts';
import { PrimaryPool } from '../src/backends/postgres/primary-pool.ts';
import type { FloorProbe } from './floor-probe.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** A transaction that writes 100 bytes to the server's log and to no table: nothing is left of it. */
const STATEMENT = {
  name: 'commit_probe',
  text: `select pg_logical_emit_message(true, 'reseolio demo', repeat('x', 100))`,
};

/** Measures how long a PostgreSQL server takes to answer that a small transaction is durable. */
export class CommitProbe implements FloorProbe {
  readonly figure = 'commitP50Ms';
  readonly #pool: PrimaryPool;
  readonly #connection: ClientLike;

  private constructor(pool: PrimaryPool, connection: ClientLike) {
    this.#pool = pool;
    this.#connection = connection;
  }

  /** On a connection of its own. */
  static async open(url: string): Promise<CommitProbe> {
    const pool = new PrimaryPool({ ...parsePostgresUrl(url), max: 1, connectTimeoutMs: CONNECT_TIMEOUT_MS });
    const connection = await (await pool.acquire()).connect();
    return new CommitProbe(pool, connection);
  }

  describe(ms: number): string {
    return `the server itself ${ms} ms to commit 100 bytes`;
  }

  /** Milliseconds of one transaction, there and back. */
  async measureMs(): Promise<number> {
    const startedAt = performance.now();
    await this.#connection.query(STATEMENT);
    return performance.now() - startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.release();
    await this.#pool.end();
  }
}
