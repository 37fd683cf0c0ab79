import {
  type Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MethodDefinition,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';
import { LOADER_OPTIONS } from '../../src/server/wire-messages.ts';
import { PROTO_FILE } from './grpc-client.ts';

const SERVICE = loadSync(PROTO_FILE, LOADER_OPTIONS)['reseolio.Reseolio'] as ServiceDefinition;

/** How long a call may take until it counts as one that hangs. */
const HANG_MS = 10_000;

export const CALLS = Object.keys(SERVICE);

function methodOf(call: string): MethodDefinition<object, object> {
  return SERVICE[call] as MethodDefinition<object, object>;
}

/** A message as bytes, whatever its values. */
export function serialize(call: string, request: object): Buffer {
  return methodOf(call).requestSerialize(request);
}

/** Sends bytes that may be no message. */
export class RawCaller {
  readonly #client: Client;

  constructor(address: string) {
    const Raw = makeGenericClientConstructor({}, 'Raw');
    this.#client = new Raw(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    onTestFinished(() => this.#client.close());
  }

  /** Resolves with the status of the answer. A call that hangs ends with DEADLINE_EXCEEDED. */
  async send(call: string, bytes: Buffer): Promise<keyof typeof status> {
    const code = methodOf(call).requestStream ? await this.#stream(call, bytes) : await this.#ask(call, bytes);
    return status[code] as keyof typeof status;
  }

  #ask(call: string, bytes: Buffer): Promise<status> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        methodOf(call).path,
        identity,
        identity,
        bytes,
        new Metadata(),
        { deadline: Date.now() + HANG_MS },
        (error: ServiceError | null) => resolve(error?.code ?? status.OK),
      );
    });
  }

  /** Sends one message, then that there is no more. */
  #stream(call: string, bytes: Buffer): Promise<status> {
    const stream: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      methodOf(call).path,
      identity,
      identity,
      new Metadata(),
      { deadline: Date.now() + HANG_MS },
    );
    stream.on('error', () => {});
    stream.on('data', () => {});
    stream.write(bytes);
    stream.end();
    return new Promise((resolve) => stream.on('status', ({ code }) => resolve(code)));
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
