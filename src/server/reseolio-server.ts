import { openStorage } from '../backends/open-storage.ts';
import type { ReseolioEvents } from '../client/client-events.ts';
import { type ClientOptions, resolveClientOptions } from '../client/client-options.ts';
import { Engine } from '../client/engine.ts';
import { ReseolioError } from '../core/errors.ts';
import { JobIdGenerator } from '../core/job-id.ts';
import { createSystemRuntime } from '../core/runtime.ts';
import type { Durability, Storage } from '../core/storage.ts';
import { EventHub } from '../worker/event-hub.ts';
import { HandlerRegistry } from '../worker/handler-registry.ts';
import { settlesWithin } from '../worker/settles-within.ts';
import { Access } from './access.ts';
import { GrpcListener, type TlsFiles } from './grpc-listener.ts';
import { JobCalls } from './job-calls.ts';
import { RemoteWorkers } from './remote-workers.ts';
import { ScheduleCalls } from './schedule-calls.ts';
import { formatAddress, isLoopback, parseAddress, type ServerAddress } from './server-address.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ServerOptions {
  /** A URL; or one that the caller has opened, and closes. */
  readonly storage: string | Storage;
  /** What an answer means, for a storage given by URL. */
  readonly durability: Durability;
  /** HOST:PORT; port 0: a free one. */
  readonly address: string;
  /** Those who call bring one of them; null: nobody needs one. */
  readonly tokens: readonly string[] | null;
  readonly tls: TlsFiles | null;
  /** Allows an address that others reach without token and TLS. */
  readonly isInsecure: boolean;
  /** How long workers get to answer what they have in hand when the server stops, milliseconds. */
  readonly shutdownGraceMs: number;
  readonly leaseMs: number;
}

export interface RunningServer {
  /** HOST:PORT that it listens on. */
  readonly address: string;
  /** Resolves with the error if the storage fails for good: nothing is taken any more until it is opened anew. */
  readonly failed: Promise<unknown>;
  /** Hands out no more jobs, waits for those that are in hand, puts the rest back, and lets go of the storage. */
  stop(): Promise<void>;
}

const MAX_WORKERS = 10_000;
/** A storage that answers at all answers in this time. */
const STORAGE_BOUND_MS = 10_000;
/** How long calls that are under way get when all else has ended. */
const LAST_CALLS_MS = 1000;

/**
 * Serves a storage by the protocol of `proto/reseolio.proto`. Resolves once it listens.
 *
 * @throws ReseolioError `invalid_option` for an address that cannot be or must not be served like this; what opening the
 *   storage throws; `address_unavailable` if it cannot listen there.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const address = parseAddress(options.address);
  assertSafe(address, options);
  const server = new ReseolioServer(await openEngine(options), options);
  try {
    const listening = await server.start(address, options.tls);
    return { address: formatAddress(listening), failed: server.failed, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** What a server has in place of a client: everything but workers of its own. */
interface ServerEngine {
  readonly engine: Engine;
  readonly ids: JobIdGenerator;
  readonly events: EventHub<ReseolioEvents>;
  readonly clientOptions: ClientOptions;
}

async function openEngine({
  storage: given,
  durability,
  shutdownGraceMs,
  leaseMs,
}: ServerOptions): Promise<ServerEngine> {
  const runtime = createSystemRuntime();
  const clientOptions = resolveClientOptions({
    storage: given,
    durability,
    runtime,
    shutdownGraceMs,
    leaseMs,
    workerConcurrency: 0,
  });
  const ownsStorage = typeof given === 'string';
  const storage = ownsStorage ? await openStorage(given, clientOptions) : given;
  const ids = new JobIdGenerator(runtime);
  const events = new EventHub<ReseolioEvents>();
  const registry = new HandlerRegistry();
  const workerId = `server:${process.pid}`;
  const engine = new Engine({ storage, ownsStorage, options: clientOptions, registry, events, ids, workerId });
  return { engine, ids, events, clientOptions };
}

class ReseolioServer {
  readonly failed: Promise<unknown>;
  readonly #options: ServerOptions;
  readonly #parts: ServerEngine;
  readonly #workers: RemoteWorkers;
  readonly #subscriptions: Subscriptions;
  readonly #listener: GrpcListener;

  constructor(parts: ServerEngine, options: ServerOptions) {
    const { engine, ids, events, clientOptions } = parts;
    const { runtime, maxPayloadBytes } = clientOptions;
    const { storage, waiter } = engine;
    this.#options = options;
    this.#parts = parts;
    this.#workers = new RemoteWorkers({
      engine,
      runtime,
      maxPayloadBytes,
      maxWorkers: MAX_WORKERS,
      storageBoundMs: STORAGE_BOUND_MS,
    });
    this.#subscriptions = new Subscriptions(waiter);
    this.#listener = new GrpcListener(
      {
        access: new Access(options.tokens),
        jobs: new JobCalls({ storage, waiter, ids, maxPayloadBytes }),
        schedules: new ScheduleCalls({ storage, ids, maxPayloadBytes }),
        workers: this.#workers,
        subscriptions: this.#subscriptions,
      },
      maxPayloadBytes,
    );
    this.failed = finalError(events);
  }

  /** Resolves with the address that it listens on. */
  async start(address: ServerAddress, tls: TlsFiles | null): Promise<ServerAddress> {
    void this.failed.then(() => {
      this.#listener.stopServing();
      this.#workers.fail();
    });
    this.#parts.engine.start();
    return { host: address.host, port: await this.#listener.listen(address, tls) };
  }

  async stop(): Promise<void> {
    const { engine, clientOptions } = this.#parts;
    this.#listener.stopServing();
    await this.#workers.stop(this.#options.shutdownGraceMs);
    this.#subscriptions.stop();
    await settlesWithin(clientOptions.runtime, this.#listener.whenIdle(), LAST_CALLS_MS);
    this.#listener.close();
    await engine.stop();
  }
}

/** Whoever can reach it can run code of the workers, so others than this machine have to show who they are. */
function assertSafe(address: ServerAddress, { tokens, tls, isInsecure }: ServerOptions): void {
  if (isLoopback(address) || isInsecure || (tokens !== null && tls !== null)) return;
  throw new ReseolioError(
    'invalid_option',
    `${formatAddress(address)} can be reached from other machines: pass a token and TLS, or say that it is to be insecure`,
  );
}

function finalError(events: EventHub<ReseolioEvents>): Promise<unknown> {
  return new Promise((resolve) => {
    events.on('storage:error', ({ isFinal, error }) => {
      if (isFinal) resolve(error);
    });
  });
}
