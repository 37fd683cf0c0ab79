import { fileURLToPath } from 'node:url';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { openStorage } from '../backends/open-storage.ts';
import type { ReseolioEvents } from '../client/client-events.ts';
import { resolveClientOptions } from '../client/client-options.ts';
import { Engine } from '../client/engine.ts';
import { ReseolioError } from '../core/errors.ts';
import { JobIdGenerator } from '../core/job-id.ts';
import { createSystemRuntime } from '../core/runtime.ts';
import type { Storage } from '../core/storage.ts';
import { EventHub } from '../worker/event-hub.ts';
import { HandlerRegistry } from '../worker/handler-registry.ts';
import { settlesWithin } from '../worker/settles-within.ts';
import { Access } from './access.ts';
import { JobCalls } from './job-calls.ts';
import { RemoteWorkers } from './remote-workers.ts';
import { ScheduleCalls } from './schedule-calls.ts';
import { formatAddress, isLoopback, parseAddress, type ServerAddress } from './server-address.ts';
import { createService, type ServiceParams } from './service.ts';
import { Subscriptions } from './subscriptions.ts';
import { LOADER_OPTIONS } from './wire-messages.ts';

export interface TlsFiles {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Of those whose certificates callers have to bring; null: they need none. */
  readonly ca: Buffer | null;
}

export interface ServerOptions {
  /** A URL; or one that the caller has opened, and closes. */
  readonly storage: string | Storage;
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

/** A call may carry the largest payload and what is around it. */
const MESSAGE_OVERHEAD_BYTES = 65_536;
const SERVICE = 'reseolio.Reseolio';
const MAX_STREAMS_A_CONNECTION = 1000;
const MAX_METADATA_BYTES = 16_384;
const MAX_WORKERS = 10_000;
/** A peer that answers no ping is gone: noticed within twice this. */
const KEEPALIVE_MS = 5000;
/** A storage that answers at all answers in this time. */
const STORAGE_BOUND_MS = 10_000;
/** How long calls that are under way get when all else has ended. */
const LAST_CALLS_MS = 1000;

/**
 * Serves a storage by the protocol of `proto/reseolio.proto`. Resolves once it listens.
 *
 * @throws ReseolioError `invalid_option` for an address that cannot be or must not be served like this; what opening the
 *   storage throws; `storage_unavailable` if the address is taken.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const address = parseAddress(options.address);
  assertSafe(address, options);
  const runtime = createSystemRuntime();
  const { shutdownGraceMs, leaseMs } = options;
  const clientOptions = resolveClientOptions({
    storage: options.storage,
    runtime,
    shutdownGraceMs,
    leaseMs,
    workerConcurrency: 0,
  });
  const ownsStorage = typeof options.storage === 'string';
  const storage = ownsStorage ? await openStorage(options.storage, clientOptions) : options.storage;
  const ids = new JobIdGenerator(runtime);
  const events = new EventHub<ReseolioEvents>();
  const engine = new Engine({
    storage,
    ownsStorage,
    options: clientOptions,
    registry: new HandlerRegistry(),
    events,
    ids,
    workerId: `server:${process.pid}`,
  });
  const { maxPayloadBytes } = clientOptions;
  const workers = new RemoteWorkers({
    engine,
    runtime,
    maxPayloadBytes,
    maxWorkers: MAX_WORKERS,
    storageBoundMs: STORAGE_BOUND_MS,
  });
  const subscriptions = new Subscriptions(engine.waiter);
  const calls = { storage, ids, maxPayloadBytes };
  const server = createGrpcServer(maxPayloadBytes);
  const health = addServices(server, {
    access: new Access(options.tokens),
    jobs: new JobCalls({ ...calls, waiter: engine.waiter }),
    schedules: new ScheduleCalls(calls),
    workers,
    subscriptions,
  });
  const failed = finalError(events);
  void failed.then(() => {
    stopServing(health);
    workers.fail();
  });
  engine.start();
  try {
    const port = await listen(server, address, options.tls);
    return {
      address: formatAddress({ host: address.host, port }),
      failed,
      async stop() {
        stopServing(health);
        await workers.stop(shutdownGraceMs);
        subscriptions.stop();
        await settlesWithin(runtime, shutDown(server), LAST_CALLS_MS);
        server.forceShutdown();
        await engine.stop();
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
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

function createGrpcServer(maxPayloadBytes: number): Server {
  return new Server({
    'grpc.max_receive_message_length': maxPayloadBytes + MESSAGE_OVERHEAD_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_A_CONNECTION,
    'grpc.max_metadata_size': MAX_METADATA_BYTES,
    // Statistics that nobody asks for.
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
  });
}

/** The calls, and those of gRPC's own that say how it is and what there is. */
function addServices(server: Server, params: ServiceParams): HealthImplementation {
  const definition = loadSync(PROTO_FILE, LOADER_OPTIONS);
  server.addService(serviceOf(definition), createService(params));
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });
  health.addToServer(server);
  new ReflectionService(definition).addToServer(server);
  return health;
}

function stopServing(health: HealthImplementation): void {
  for (const service of ['', SERVICE]) health.setStatus(service, 'NOT_SERVING');
}

function finalError(events: EventHub<ReseolioEvents>): Promise<unknown> {
  return new Promise((resolve) => {
    events.on('storage:error', ({ isFinal, error }) => {
      if (isFinal) resolve(error);
    });
  });
}

/** Beside `src` as beside `dist`. */
const PROTO_FILE = fileURLToPath(new URL('../../proto/reseolio.proto', import.meta.url));

function serviceOf(definition: PackageDefinition): ServiceClientConstructor['service'] {
  const { Reseolio } = loadPackageDefinition(definition).reseolio as GrpcObject;
  return (Reseolio as ServiceClientConstructor).service;
}

function listen(server: Server, address: ServerAddress, tls: TlsFiles | null): Promise<number> {
  const credentials =
    tls === null
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(tls.ca, [{ cert_chain: tls.cert, private_key: tls.key }], tls.ca !== null);
  return new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(address), credentials, (error, port) => {
      if (error === null) resolve(port);
      else
        reject(
          new ReseolioError('storage_unavailable', `cannot listen on ${formatAddress(address)}: ${error.message}`),
        );
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}
