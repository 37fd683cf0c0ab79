import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  credentials as grpcCredentials,
  loadPackageDefinition,
  Metadata,
  type MethodDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import * as wire from '../../src/server/wire-messages.ts';
import { Incoming } from './incoming.ts';

export const PROTO_FILE = fileURLToPath(new URL('../../proto/reseolio.proto', import.meta.url));

const SERVICE = (
  loadPackageDefinition(loadSync(PROTO_FILE, wire.LOADER_OPTIONS)).reseolio as unknown as {
    readonly Reseolio: ServiceClientConstructor;
  }
).Reseolio;

/** The unary calls: what they take, of which everything may be left out, and what they answer. */
export interface UnaryCalls {
  readonly EnqueueJob: [wire.EnqueueRequest, wire.EnqueueResponse];
  readonly AckJob: [wire.AckRequest, wire.AckResponse];
  readonly GetJob: [wire.JobRequest, wire.WireJob];
  readonly CancelJob: [wire.JobRequest, wire.ChangeResponse];
  readonly RetryJob: [wire.JobRequest, wire.ChangeResponse];
  readonly ListJobs: [wire.ListJobsRequest, wire.ListJobsResponse];
  readonly CreateSchedule: [wire.CreateScheduleRequest, wire.WireSchedule];
  readonly GetSchedule: [wire.ScheduleRequest, wire.WireSchedule];
  readonly ListSchedules: [wire.ListSchedulesRequest, wire.ListSchedulesResponse];
  readonly UpdateSchedule: [wire.UpdateScheduleRequest, wire.WireSchedule];
  readonly PauseSchedule: [wire.ScheduleRequest, wire.WireSchedule];
  readonly ResumeSchedule: [wire.ScheduleRequest, wire.WireSchedule];
  readonly DeleteSchedule: [wire.ScheduleRequest, wire.ChangeResponse];
}

type Sparse<Value> = Value extends Buffer | readonly unknown[] | null
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]?: Sparse<Value[Key]> }
    : Value;

export type SparseRequest<Name extends keyof UnaryCalls> = {
  readonly [Key in keyof UnaryCalls[Name][0]]?: Sparse<UnaryCalls[Name][0][Key]>;
};

type DuplexCall = (metadata: Metadata) => ClientDuplexStream<object, unknown>;

export interface ClientParams {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly token: string | null;
}

/** A caller as one of another language would be: nothing but messages on a connection of its own. */
export class GrpcClient {
  readonly address: string;
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor({
    address,
    credentials = grpcCredentials.createInsecure(),
    token = null,
  }: Partial<ClientParams> & Pick<ClientParams, 'address'>) {
    this.address = address;
    if (token !== null) this.#metadata.set('authorization', token);
    this.#client = new SERVICE(address, credentials, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    });
  }

  call<Name extends keyof UnaryCalls>(
    name: Name,
    request: SparseRequest<Name>,
    options: CallOptions = {},
  ): Promise<UnaryCalls[Name][1]> {
    const { path, requestSerialize, responseDeserialize } = SERVICE.service[name] as MethodDefinition<
      object,
      UnaryCalls[Name][1]
    >;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        options,
        (error: ServiceError | null, response) =>
          error === null ? resolve(response as UnaryCalls[Name][1]) : reject(error),
      );
    });
  }

  /** Stores a job, with `args` as JSON, and answers its id. */
  async enqueue(name: string, args: unknown = [], change: SparseRequest<'EnqueueJob'> = {}): Promise<string> {
    const request = { name, args: Buffer.from(JSON.stringify(args)), ...change };
    return (await this.call('EnqueueJob', request)).jobId;
  }

  async statusOf(jobId: string): Promise<number> {
    return (await this.call('GetJob', { jobId })).status;
  }

  /** A worker that has not said anything yet. */
  poll(): PollConnection {
    return new PollConnection(this, this.#open('PollJobs') as ClientDuplexStream<object, wire.WireJob>);
  }

  /** A worker of these names. */
  work(workerId: string, names: readonly string[], concurrency = 10): PollConnection {
    const worker = this.poll();
    worker.register({ workerId, names, concurrency });
    return worker;
  }

  subscribe(...jobIds: readonly string[]): Subscription {
    const subscription = new Subscription(
      this.#open('SubscribeToJobs') as ClientDuplexStream<object, wire.JobCompletion>,
    );
    if (jobIds.length > 0) subscription.add(...jobIds);
    return subscription;
  }

  close(): void {
    this.#client.close();
  }

  #open(name: 'PollJobs' | 'SubscribeToJobs'): ClientDuplexStream<object, unknown> {
    const open = Reflect.get(this.#client, name) as DuplexCall;
    return open.call(this.#client, this.#metadata);
  }
}

/** A PollJobs stream, and acks on the connection that it is on. */
export class PollConnection {
  readonly jobs: Incoming<wire.WireJob>;
  readonly #client: GrpcClient;
  readonly #stream: ClientDuplexStream<object, wire.WireJob>;

  constructor(client: GrpcClient, stream: ClientDuplexStream<object, wire.WireJob>) {
    this.#client = client;
    this.#stream = stream;
    this.jobs = new Incoming(stream);
  }

  register(request: Partial<wire.PollRequest>): void {
    this.#stream.write(request);
  }

  succeed(jobId: string, value?: unknown): Promise<wire.AckResponse> {
    const returnValue = value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
    return this.#client.call('AckJob', { jobId, result: { success: true, returnValue } });
  }

  fail(jobId: string, error: string, shouldRetry = true): Promise<wire.AckResponse> {
    return this.#client.call('AckJob', { jobId, result: { success: false, error, shouldRetry } });
  }

  /** Reads no more. */
  pause(): void {
    this.#stream.pause();
  }

  /** Says that it is done, as a client does that closes its side. */
  end(): void {
    this.#stream.end();
  }

  /** Ends the call without a word. */
  cancel(): void {
    this.#stream.cancel();
  }
}

/** A SubscribeToJobs stream. */
export class Subscription {
  readonly completions: Incoming<wire.JobCompletion>;
  readonly #stream: ClientDuplexStream<object, wire.JobCompletion>;

  constructor(stream: ClientDuplexStream<object, wire.JobCompletion>) {
    this.#stream = stream;
    this.completions = new Incoming(stream);
  }

  add(...jobIds: readonly string[]): void {
    this.#stream.write({ jobIds, unsubscribe: false });
  }

  /** Calls `listener` as each comes in. */
  onCompletion(listener: (completion: wire.JobCompletion) => void): void {
    this.#stream.on('data', listener);
  }

  remove(...jobIds: readonly string[]): void {
    this.#stream.write({ jobIds, unsubscribe: true });
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

export function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString());
}
