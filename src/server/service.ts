import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Access } from './access.ts';
import type { JobCalls } from './job-calls.ts';
import type { RemoteWorkers } from './remote-workers.ts';
import type { ScheduleCalls } from './schedule-calls.ts';
import { StatusError, toServiceError } from './service-errors.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { AckRequest } from './wire-messages.ts';

/** All keys and values of one call, bytes. */
const MAX_METADATA_BYTES = 16_384;

export interface ServiceParams {
  readonly access: Access;
  readonly jobs: JobCalls;
  readonly schedules: ScheduleCalls;
  readonly workers: RemoteWorkers;
  readonly subscriptions: Subscriptions;
}

/** Every call of the protocol, by the names that proto-loader gives them. */
export function createService({
  access,
  jobs,
  schedules,
  workers,
  subscriptions,
}: ServiceParams): UntypedServiceImplementation {
  return {
    EnqueueJob: unary(access, (request) => jobs.enqueue(request)),
    AckJob: unary(access, (request: AckRequest, call) => workers.acknowledge(request, call.getPeer())),
    GetJob: unary(access, (request) => jobs.get(request)),
    CancelJob: unary(access, (request) => jobs.cancel(request)),
    RetryJob: unary(access, (request) => jobs.retry(request)),
    ListJobs: unary(access, (request) => jobs.list(request)),
    CreateSchedule: unary(access, (request) => schedules.create(request)),
    GetSchedule: unary(access, (request) => schedules.get(request)),
    ListSchedules: unary(access, (request) => schedules.list(request)),
    UpdateSchedule: unary(access, (request) => schedules.update(request)),
    PauseSchedule: unary(access, (request) => schedules.pause(request)),
    ResumeSchedule: unary(access, (request) => schedules.resume(request)),
    DeleteSchedule: unary(access, (request) => schedules.delete(request)),
    PollJobs: streaming(access, (stream) => workers.connect(stream)),
    SubscribeToJobs: streaming(access, (stream) => subscriptions.serve(stream)),
  };
}

function unary<Request, Response>(
  access: Access,
  handle: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    run(async () => {
      assertMetadata(call.metadata);
      access.assert(call.metadata);
      return handle(call.request, call);
    })
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      )
      // What cannot be sent must not take the process down.
      .catch((error: unknown) => callback(toServiceError(new Error('an answer could not be sent', { cause: error }))));
  };
}

/** A handler that throws before it returns a promise rejects like any other. */
async function run<Result>(handle: () => Promise<Result>): Promise<Result> {
  return handle();
}

function streaming<Request, Response>(
  access: Access,
  serve: (stream: ServerDuplexStream<Request, Response>) => void,
): handleBidiStreamingCall<Request, Response> {
  return (stream) => {
    try {
      assertMetadata(stream.metadata);
      access.assert(stream.metadata);
      serve(stream);
    } catch (error) {
      stream.emit('error', toServiceError(error));
    }
  };
}

/** The library below heeds no limit of its own. */
function assertMetadata(metadata: Metadata): void {
  let bytes = 0;
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) bytes += key.length + value.length;
  }
  if (bytes <= MAX_METADATA_BYTES) return;
  throw new StatusError(
    status.RESOURCE_EXHAUSTED,
    `${bytes} bytes of metadata are too many: ${MAX_METADATA_BYTES} at most`,
  );
}
