import { retryDelayMs, STORAGE_BACKOFF } from '../../core/backoff.ts';
import type { Runtime } from '../../core/runtime.ts';
import { isConnectionLost, isPassing, isPoolBusy, POOL_BUSY, translateError } from './native-errors.ts';
import { AS_TEXT, type ClientLike, checkIn, checkOut, type PoolLike, type QueryConfig } from './pool-like.ts';
import type { PoolSource } from './primary-pool.ts';
import type { Query, QuerySource, Row } from './query.ts';
import { inSchema } from './schema-name.ts';

export interface ConnectionsParams {
  readonly source: PoolSource;
  readonly runtime: Runtime;
  readonly schema: string;
  /** Where the storage is, for messages. */
  readonly address: string;
  /** Statements may be named, so that a connection parses each once. Not through a pooler. */
  readonly isPrepared: boolean;
  /** How long a call may wait for the server in all, milliseconds. */
  readonly timeoutMs: number;
}

/** A query on its way. */
interface Call {
  readonly query: QuerySource;
  /** It may have taken effect. */
  isSent: boolean;
}

/** What becomes known of a query while it runs. */
export interface RunTrace {
  /** A try may have taken effect before the one that was answered. */
  isRepeated: boolean;
}

/** With less time than this left, nothing is tried again. */
const MIN_TRY_MS = 50;

/** Runs queries on whichever connection is free, and again where that helps. Rejects with a `ReseolioError`. */
export class Connections {
  readonly #params: ConnectionsParams;
  #isStopping = false;
  readonly #wakers = new Set<() => void>();
  /** By name: the same text with the schema in it. */
  readonly #texts = new Map<string, string>();

  readonly #recognised = new WeakSet<ClientLike>();
  #timeline: string | null = null;
  #onNewTimeline: () => void = () => {};

  constructor(params: ConnectionsParams) {
    this.#params = params;
  }

  get timeoutMs(): number {
    return this.#params.timeoutMs;
  }

  get source(): PoolSource {
    return this.#params.source;
  }

  /** Calls `listener` when a server has taken over that may lack what the last one had acknowledged last. */
  onNewTimeline(listener: () => void): void {
    this.#onNewTimeline = listener;
  }

  /** Once, for callers that try again themselves. */
  async runOnce(query: QuerySource): Promise<Row[]> {
    const call: Call = { query, isSent: false };
    try {
      return await this.#attempt(call, this.#params.timeoutMs);
    } catch (error) {
      return this.#fail(error, call);
    }
  }

  /**
   * Again and again, with backoff, until the server answers or the time is up. The outcome of a try that failed may be
   * unknown, so the query must be one that can be repeated.
   */
  async run(query: QuerySource, trace: RunTrace = { isRepeated: false }): Promise<Row[]> {
    const { runtime, timeoutMs } = this.#params;
    const deadline = runtime.monotonicNow() + timeoutMs;
    const call: Call = { query, isSent: false };
    for (let failures = 1; ; failures++) {
      try {
        return await this.#attempt(call, Math.max(1, deadline - runtime.monotonicNow()));
      } catch (error) {
        trace.isRepeated ||= call.isSent;
        const leftMs = deadline - runtime.monotonicNow();
        if (!isPassing(error) || leftMs < MIN_TRY_MS || this.#isStopping) return this.#fail(error, call);
        // The last tries come closer together, so that none of the time is given away.
        await this.#pause(Math.min(retryDelayMs(STORAGE_BACKOFF, failures, runtime.random()), leftMs / 2));
        if (this.#isStopping) return this.#fail(error, call);
      }
    }
  }

  /** What waits for its next try rejects, and nothing is tried again. */
  stopRepeating(): void {
    this.#isStopping = true;
    for (const wake of this.#wakers) wake();
  }

  /** Closes all connections. Only once nothing runs any more. */
  async end(): Promise<void> {
    await this.#params.source.end();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#wakers.delete(end);
        resolve();
      };
      const timer = this.#params.runtime.setTimer(delayMs, end);
      this.#wakers.add(end);
    });
  }

  async #attempt(call: Call, timeoutMs: number): Promise<Row[]> {
    const { source } = this.#params;
    const pool = await source.acquire();
    const client = await this.#connect(pool, timeoutMs);
    try {
      await this.#recognise(client);
      const query = typeof call.query === 'function' ? call.query() : call.query;
      call.isSent = true;
      const { rows } = await client.query(this.#configOf(query, timeoutMs));
      checkIn(client, false);
      return rows as Row[];
    } catch (error) {
      const isLost = isConnectionLost(error);
      checkIn(client, isLost);
      if (isLost) source.reportLost(pool);
      throw error;
    }
  }

  /** Looks, once for each connection, whether the server goes on with the same history. */
  async #recognise(client: ClientLike): Promise<void> {
    if (this.#recognised.has(client)) return;
    const timeline = await readTimeline(client, this.#params.timeoutMs);
    this.#recognised.add(client);
    if (timeline === null || timeline === this.#timeline) return;
    const isFirst = this.#timeline === null;
    this.#timeline = timeline;
    if (!isFirst) this.#onNewTimeline();
  }

  #configOf({ name, text, values }: Query, timeoutMs: number): QueryConfig {
    const { schema, isPrepared } = this.#params;
    const config = { ...AS_TEXT, values: values as unknown[], query_timeout: timeoutMs };
    if (name === null) return { ...config, text: inSchema(schema, text) };
    let ownText = this.#texts.get(name);
    if (ownText === undefined) {
      ownText = inSchema(schema, text);
      this.#texts.set(name, ownText);
    }
    return isPrepared ? { ...config, text: ownText, name: `reseolio_${schema}_${name}` } : { ...config, text: ownText };
  }

  async #connect(pool: PoolLike, timeoutMs: number): Promise<ClientLike> {
    try {
      return await this.#within(timeoutMs, checkOut(pool));
    } catch (error) {
      if (!isPoolBusy(error)) this.#params.source.reportLost(pool);
      throw error;
    }
  }

  /** A pool of the caller's may let those who ask wait for ever. A connection that comes too late is given back. */
  #within(timeoutMs: number, connecting: Promise<ClientLike>): Promise<ClientLike> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = this.#params.runtime.setTimer(timeoutMs, () => {
        isLate = true;
        reject(new Error(POOL_BUSY));
      });
      connecting.then(
        (client) => {
          timer.cancel();
          if (isLate) checkIn(client, false);
          else resolve(client);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  #fail(error: unknown, { isSent }: Call): never {
    throw translateError(error, this.#params.address, isSent);
  }
}

/** The history that the server writes: each promotion of a standby begins a new one. null where it does not say. */
async function readTimeline(client: ClientLike, timeoutMs: number): Promise<string | null> {
  const text = 'select left(pg_walfile_name(pg_current_wal_lsn()), 8)';
  try {
    const { rows } = await client.query({ ...AS_TEXT, text, query_timeout: timeoutMs });
    return (rows as Row[])[0]?.[0] ?? null;
  } catch (error) {
    // A standby, or a service that hides its log.
    if (isConnectionLost(error)) throw error;
    return null;
  }
}
