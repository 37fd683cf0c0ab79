import { once } from 'node:events';
import { Socket } from 'node:net';
import pg from 'pg';
import { isConnectionLost } from './native-errors.ts';
import { type ClientLike, hearErrors, type PoolLike } from './pool-like.ts';

/** Where connections come from. */
export interface PoolSource {
  /** Resolves with the pool of the server that takes writes; rejects where there is none. */
  acquire(): Promise<PoolLike>;
  /** A connection of `pool` failed: what is acquired next may be another. */
  reportLost(pool: PoolLike): void;
  /** Resolves with a connection of its own for LISTEN. */
  connectListener(): Promise<ClientLike>;
  /** Resolves when all connections are closed. Only once nothing uses them any more. */
  end(): Promise<void>;
}

/** Servers of which one takes writes. */
export interface Servers {
  /** One for each, as `pg` takes it. */
  readonly connectionStrings: readonly string[];
  /** Which of them takes writes has to be found out. */
  readonly isSearching: boolean;
}

export interface PrimaryPoolParams extends Servers {
  /** Connections beside the one for LISTEN. */
  readonly max: number;
  /** Where to listen, if that is elsewhere. */
  readonly listenUrl: Servers | null;
  readonly connectTimeoutMs: number;
}

/** Long enough for what the server has planned in a connection to be of use to the next call. */
const IDLE_TIMEOUT_MS = 60_000;
/** A connection is closed in agreement with the server, unless that takes longer. */
const CLOSE_TIMEOUT_MS = 500;

/** A pool of the server that takes writes, found anew when connections to it fail. */
export class PrimaryPool implements PoolSource {
  readonly #params: PrimaryPoolParams;
  #current: Promise<pg.Pool> | null = null;
  readonly #ending = new Set<Promise<void>>();
  readonly #sockets = new Set<Socket>();

  constructor(params: PrimaryPoolParams) {
    this.#params = params;
  }

  acquire(): Promise<PoolLike> {
    if (this.#current === null) {
      const found = this.#findPrimary(this.#params).then((connectionString) => this.#createPool(connectionString));
      this.#current = found;
      // The next call searches anew.
      found.catch(() => {
        if (this.#current === found) this.#current = null;
      });
    }
    return this.#current;
  }

  reportLost(lost: PoolLike): void {
    const current = this.#current;
    current?.then(
      (pool) => {
        if (pool !== lost || this.#current !== current) return;
        if (!this.#params.isSearching) return dropIdle(pool);
        this.#current = null;
        this.#end(pool);
      },
      // There is no primary at the moment. Those who asked for it are told.
      () => {},
    );
  }

  async connectListener(): Promise<ClientLike> {
    const client = new pg.Client(this.#config(await this.#findPrimary(this.#params.listenUrl ?? this.#params)));
    // Those who use it hear of the end; without a listener an error would be thrown at the process.
    client.on('error', () => {});
    await client.connect();
    return Object.assign(client, {
      release: () => {
        void client.end().catch(() => {});
      },
    });
  }

  async end(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current !== null) await current.then((pool) => this.#end(pool)).catch(() => {});
    await Promise.all(this.#ending);
    await Promise.all([...this.#sockets].map(closeSocket));
  }

  #createPool(connectionString: string): pg.Pool {
    const pool = new pg.Pool({
      ...this.#config(connectionString),
      max: this.#params.max,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    });
    hearErrors(pool);
    // An idle connection broke: the pool has dropped it already.
    pool.on('error', (error) => {
      if (isConnectionLost(error)) this.reportLost(pool);
    });
    return pool;
  }

  #config(connectionString: string): pg.ClientConfig {
    return {
      connectionString,
      connectionTimeoutMillis: this.#params.connectTimeoutMs,
      keepAlive: true,
      fallback_application_name: 'reseolio',
      stream: () => this.#createSocket(),
    };
  }

  #createSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #end(pool: pg.Pool): void {
    const ending: Promise<void> = pool
      .end()
      .catch(() => {})
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #findPrimary({ connectionStrings, isSearching }: Servers): Promise<string> {
    if (!isSearching) return connectionStrings[0] as string;
    return Promise.any(connectionStrings.map((connectionString) => this.#assertPrimary(connectionString)));
  }

  async #assertPrimary(connectionString: string): Promise<string> {
    const client = new pg.Client({ ...this.#config(connectionString), query_timeout: this.#params.connectTimeoutMs });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query(
        "select pg_is_in_recovery() or current_setting('transaction_read_only')::bool as is_read_only",
      );
      if (rows[0]?.is_read_only === false) return connectionString;
    } finally {
      void client.end().catch(() => {});
    }
    throw new Error(`the server at ${client.host}:${client.port} takes no writes`);
  }
}

/** Where one connection broke, others may have: a network that forgets them does not say so. */
function dropIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left--) {
    pool.connect().then(
      (client) => client.release(true),
      () => {},
    );
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  socket.setTimeout(CLOSE_TIMEOUT_MS, () => socket.destroy());
  if (!socket.closed) await once(socket, 'close');
}

/** A pool that the caller opened, and closes. */
export class BorrowedPool implements PoolSource {
  readonly #pool: PoolLike;
  /** Where to listen, if that is elsewhere. */
  readonly #elsewhere: PrimaryPool | null;
  readonly #stopHearing: () => void;

  constructor(pool: PoolLike, listenUrl: Servers | null, connectTimeoutMs: number) {
    this.#pool = pool;
    this.#elsewhere =
      listenUrl === null ? null : new PrimaryPool({ ...listenUrl, max: 1, listenUrl: null, connectTimeoutMs });
    this.#stopHearing = hearErrors(pool);
  }

  async acquire(): Promise<PoolLike> {
    return this.#pool;
  }

  reportLost(): void {}

  connectListener(): Promise<ClientLike> {
    return this.#elsewhere?.connectListener() ?? this.#pool.connect();
  }

  async end(): Promise<void> {
    this.#stopHearing();
    await this.#elsewhere?.end();
  }
}
