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
import { ReseolioError } from '../core/errors.ts';
import { formatAddress, type ServerAddress } from './server-address.ts';
import { createService, type ServiceParams } from './service.ts';
import { LOADER_OPTIONS } from './wire-messages.ts';

export interface TlsFiles {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Of those whose certificates callers have to bring; null: they need none. */
  readonly ca: Buffer | null;
}

/** A call may carry the largest payload and what is around it. */
const MESSAGE_OVERHEAD_BYTES = 65_536;
const SERVICE = 'reseolio.Reseolio';
const MAX_STREAMS_A_CONNECTION = 1000;
/** A peer that answers no ping is gone: noticed within twice this. */
const KEEPALIVE_MS = 5000;
/** Beside `src` as beside `dist`. */
const PROTO_FILE = fileURLToPath(new URL('../../proto/reseolio.proto', import.meta.url));

/** The calls of the protocol on an address, with those of gRPC's own that say how it is and what there is. */
export class GrpcListener {
  readonly #server: Server;
  readonly #health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });

  constructor(params: ServiceParams, maxPayloadBytes: number) {
    const definition = loadSync(PROTO_FILE, LOADER_OPTIONS);
    this.#server = new Server({
      'grpc.max_receive_message_length': maxPayloadBytes + MESSAGE_OVERHEAD_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS_A_CONNECTION,
      // Statistics that nobody asks for.
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
    });
    this.#server.addService(serviceOf(definition), createService(params));
    this.#health.addToServer(this.#server);
    new ReflectionService(definition).addToServer(this.#server);
  }

  /**
   * Resolves with the port once it listens.
   *
   * @throws ReseolioError `address_unavailable`.
   */
  async listen(address: ServerAddress, tls: TlsFiles | null): Promise<number> {
    const where = formatAddress(address);
    try {
      const credentials = createCredentials(tls);
      return await new Promise((resolve, reject) => {
        this.#server.bindAsync(where, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ReseolioError('address_unavailable', `cannot listen on ${where}: ${reason}`, { cause: error });
    }
  }

  /** Says that it serves no more to those who ask; calls go on. */
  stopServing(): void {
    for (const service of ['', SERVICE]) this.#health.setStatus(service, 'NOT_SERVING');
  }

  /** Takes no more calls. Resolves when those that are under way have ended. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  /** Ends what is left. */
  close(): void {
    this.#server.forceShutdown();
  }
}

function createCredentials(tls: TlsFiles | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const { ca, cert, key } = tls;
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], ca !== null);
}

function serviceOf(definition: PackageDefinition): ServiceClientConstructor['service'] {
  const { Reseolio } = loadPackageDefinition(definition).reseolio as GrpcObject;
  return (Reseolio as ServiceClientConstructor).service;
}
