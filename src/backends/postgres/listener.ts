import { retryDelayMs, STORAGE_BACKOFF } from '../../core/backoff.ts';
import type { Runtime, Timer } from '../../core/runtime.ts';
import { channelOf, type Notification, readNotification } from './notifications.ts';
import type { ClientLike } from './pool-like.ts';
import type { PoolSource } from './primary-pool.ts';

/** How often the connection is asked whether it is still there: one that breaks without a goodbye says nothing. */
const PING_INTERVAL_MS = 15_000;
const PING_TIMEOUT_MS = 5000;

export interface ListenerParams {
  readonly source: PoolSource;
  readonly runtime: Runtime;
  readonly schema: string;
  readonly onNotification: (notification: Notification) => void;
}

/** What may have been missed while there was no connection. */
const ANYTHING: Notification = {
  origin: null,
  work: null,
  finished: null,
  signals: null,
  hasSchedules: true,
  isLate: true,
};

/** Hears what other processes tell, on a connection of its own that is made anew whenever it breaks. */
export class Listener {
  readonly #params: ListenerParams;
  #client: ClientLike | null = null;
  #connecting: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(params: ListenerParams) {
    this.#params = params;
  }

  /** Resolves when it hears, or when the first try has failed; it goes on trying by itself. */
  start(): Promise<void> {
    this.#connecting = this.#connect();
    return this.#connecting;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#connecting;
    this.#drop(this.#client);
  }

  async #connect(): Promise<void> {
    const { source, schema, onNotification } = this.#params;
    let client: ClientLike | null = null;
    try {
      client = await source.connectListener();
      this.#hearFrom(client);
      await client.query({ text: `listen "${channelOf(schema)}"`, query_timeout: PING_TIMEOUT_MS });
    } catch {
      this.#failures++;
      if (client === null) this.#connectLater();
      else this.#lose(client);
      return;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#pingLater(client);
    onNotification(ANYTHING);
  }

  #hearFrom(client: ClientLike): void {
    this.#client = client;
    client.on('notification', ({ payload = '' }) => {
      if (this.#client === client) this.#params.onNotification(readNotification(payload));
    });
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
  }

  #pingLater(client: ClientLike): void {
    this.#setTimer(PING_INTERVAL_MS, () => {
      client.query({ text: 'select', query_timeout: PING_TIMEOUT_MS }).then(
        () => {
          if (this.#client === client) this.#pingLater(client);
        },
        () => this.#lose(client),
      );
    });
  }

  #lose(client: ClientLike): void {
    if (this.#client !== client) return;
    this.#drop(client);
    this.#connectLater();
  }

  #drop(client: ClientLike | null): void {
    if (client === null) return;
    if (this.#client === client) this.#client = null;
    client.release(true);
  }

  #connectLater(): void {
    const { runtime } = this.#params;
    this.#setTimer(retryDelayMs(STORAGE_BACKOFF, Math.max(1, this.#failures), runtime.random()), () => {
      this.#connecting = this.#connect();
    });
  }

  #setTimer(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#isClosed ? null : this.#params.runtime.setTimer(delayMs, callback);
  }
}
