import { status } from '@grpc/grpc-js';
import type { Engine } from '../client/engine.ts';
import { isJobId } from '../core/job-id.ts';
import { assertJobName, describeValue, LIMITS } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import { readJsonPayload } from './json-payload.ts';
import { attemptOver, type RemoteAttempt, type RemoteOutcome } from './remote-attempt.ts';
import { EveryName } from './remote-names.ts';
import { type PollStream, RemoteWorker } from './remote-worker.ts';
import { StatusError, toServiceError } from './service-errors.ts';
import type { AckRequest, AckResponse, PollRequest } from './wire-messages.ts';

const MAX_NAMES = 1000;
const MAX_WORKER_ID_BYTES = 200;
/** By then a stream that broke has said so. */
const GOODBYE_MS = 20;
/** Answers that are kept for those who did not get them and ask again. */
const MAX_ANSWERED = 4096;

export interface RemoteWorkersParams {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly maxPayloadBytes: number;
  readonly maxWorkers: number;
  /** How long what was in hand may take to be put back. */
  readonly storageBoundMs: number;
}

/** Which attempt, in whose hands. */
type Answered = Pick<RemoteAttempt, 'holder' | 'number'>;

/** The workers that are connected, and what they have in hand. */
export class RemoteWorkers {
  readonly #params: RemoteWorkersParams;
  readonly #everyName: EveryName;
  readonly #stopWatching: () => void;
  readonly #streams = new Map<PollStream, RemoteWorker>();
  readonly #byId = new Map<string, PollStream>();
  /** Workers that are gone, and what they had is being put back. */
  readonly #leaving = new Set<Promise<void>>();
  /** By job: a job is in one pair of hands at a time, but for one whose lease was lost a moment ago. */
  readonly #inHand = new Map<string, RemoteAttempt>();
  readonly #answered = new Map<string, Answered & Readonly<{ answer: Promise<AckResponse> }>>();
  /** Those that were told so may not have heard it yet. */
  readonly #ended = new WeakSet<PollStream>();
  /** Why nobody can work here any more. */
  #refusal: StatusError | null = null;

  constructor(params: RemoteWorkersParams) {
    this.#params = params;
    const { storage } = params.engine;
    this.#everyName = new EveryName(storage);
    this.#stopWatching = storage.watch((hint) => {
      if (hint.kind === 'work' && hint.names !== null) this.#everyName.add(hint.names);
    });
  }

  /** Serves a PollJobs stream. */
  connect(stream: PollStream): void {
    stream.on('data', (request) => {
      try {
        this.#register(stream, request);
      } catch (error) {
        this.#end(stream, error);
      }
    });
    stream.on('end', () => {
      // A stream that breaks ends as well, and says that it was cancelled a moment later.
      setTimeout(() => {
        void this.#disconnect(stream, false);
        stream.end();
      }, GOODBYE_MS);
    });
    // Its end is one that this server has not made.
    for (const event of ['cancelled', 'error']) stream.on(event, () => void this.#disconnect(stream, true));
  }

  /** Stores how an attempt ended. Resolves once that is durable. */
  async acknowledge({ jobId, result, workerId, attempt: number }: AckRequest, peer: string): Promise<AckResponse> {
    if (result === null) throw new StatusError(status.INVALID_ARGUMENT, 'result is missing: say how the attempt ended');
    const outcome = this.#readOutcome(result);
    const isMeant = (candidate: Answered): boolean =>
      (workerId === '' ? candidate.holder.peer === peer : candidate.holder.workerId === workerId) &&
      (number === 0 || candidate.number === number);
    const attempt = this.#inHand.get(jobId);
    if (attempt !== undefined && isMeant(attempt)) {
      const answer = attempt.accept(outcome);
      this.#remember(jobId, attempt, answer);
      return answer;
    }
    const answered = this.#answered.get(jobId);
    if (answered !== undefined && isMeant(answered)) return answered.answer;
    await this.#assertStored(jobId);
    throw attemptOver(jobId);
  }

  /** Hands out nothing more; gives what is in hand `graceMs`, then puts it back, and ends all streams. */
  async stop(graceMs: number): Promise<void> {
    const refusal = new StatusError(status.UNAVAILABLE, 'the server is shutting down: connect again');
    this.#refusal ??= refusal;
    const { storageBoundMs } = this.#params;
    await Promise.all([...this.#streams.values()].map((worker) => worker.stop(graceMs, storageBoundMs)));
    await Promise.all(this.#leaving);
    this.#stopWatching();
    this.#endAll(refusal);
  }

  /** The storage is gone: nothing can be handed out or taken. */
  fail(): void {
    this.#refusal = new StatusError(status.UNAVAILABLE, 'the storage failed, and has to be opened anew');
    this.#endAll(this.#refusal);
  }

  #register(stream: PollStream, request: PollRequest): void {
    if (this.#ended.has(stream)) return;
    assertRequest(request);
    const { workerId, names, concurrency } = request;
    let worker = this.#streams.get(stream);
    if (worker === undefined) worker = this.#add(stream, workerId);
    else if (worker.workerId !== workerId) {
      throw new StatusError(status.INVALID_ARGUMENT, `this stream is that of worker ${worker.workerId}`);
    }
    worker.register(names, Math.min(concurrency, LIMITS.concurrency));
  }

  #add(stream: PollStream, workerId: string): RemoteWorker {
    const { engine, runtime, maxWorkers } = this.#params;
    if (this.#refusal !== null) throw this.#refusal;
    if (this.#streams.size >= maxWorkers) {
      throw new StatusError(status.RESOURCE_EXHAUSTED, `${maxWorkers} workers are connected already`);
    }
    const before = this.#byId.get(workerId);
    const worker = new RemoteWorker({
      engine,
      runtime,
      everyName: this.#everyName,
      stream,
      workerId,
      onTaken: (attempt) => this.#take(attempt),
      onStalled: () => this.#drop(stream),
      onGone: (attempt) => this.#letGo(attempt),
    });
    this.#streams.set(stream, worker);
    this.#byId.set(workerId, stream);
    if (before !== undefined) this.#end(before, new StatusError(status.ABORTED, `worker ${workerId} connected anew`));
    return worker;
  }

  #endAll(error: StatusError): void {
    for (const stream of [...this.#streams.keys()]) this.#end(stream, error);
  }

  #end(stream: PollStream, error: unknown): void {
    this.#ended.add(stream);
    void this.#disconnect(stream, false);
    stream.emit('error', toServiceError(error));
  }

  /** It is so slow to read that jobs time out before they are sent: what waits to be sent would only grow. */
  #drop(stream: PollStream): void {
    this.#end(stream, new StatusError(status.RESOURCE_EXHAUSTED, 'jobs timed out before they were read: read faster'));
    stream.destroy();
  }

  #take(attempt: RemoteAttempt): void {
    const { id } = attempt.attempt.job;
    this.#inHand.set(id, attempt);
    // From here on an ack that does not say which attempt it means is of this one.
    this.#answered.delete(id);
  }

  async #disconnect(stream: PollStream, isLost: boolean): Promise<void> {
    const worker = this.#streams.get(stream);
    if (worker === undefined) return;
    this.#streams.delete(stream);
    if (this.#byId.get(worker.workerId) === stream) this.#byId.delete(worker.workerId);
    const left = worker.leave(isLost, this.#params.storageBoundMs);
    this.#leaving.add(left);
    await left;
    this.#leaving.delete(left);
  }

  #letGo(attempt: RemoteAttempt): void {
    const { id } = attempt.attempt.job;
    if (this.#inHand.get(id) === attempt) this.#inHand.delete(id);
  }

  #remember(jobId: string, { holder, number }: Answered, answer: Promise<AckResponse>): void {
    this.#answered.delete(jobId);
    // Not the worker itself, nor the attempt, whose payloads may be large.
    const { workerId, peer } = holder;
    this.#answered.set(jobId, { holder: { workerId, peer }, number, answer });
    if (this.#answered.size <= MAX_ANSWERED) return;
    for (const oldest of this.#answered.keys()) {
      this.#answered.delete(oldest);
      return;
    }
  }

  #readOutcome({ success, returnValue, error, shouldRetry }: NonNullable<AckRequest['result']>): RemoteOutcome {
    if (!success) return { isSuccess: false, message: error, shouldRetry };
    const { maxPayloadBytes } = this.#params;
    const hasResult = returnValue.length > 0;
    return {
      isSuccess: true,
      result: hasResult ? readJsonPayload(returnValue, 'return_value', maxPayloadBytes) : null,
    };
  }

  async #assertStored(jobId: string): Promise<void> {
    const [job] = isJobId(jobId) ? await this.#params.engine.storage.getJobs({ jobIds: [jobId] }) : [];
    if (job === undefined || job === null) {
      throw new StatusError(status.NOT_FOUND, `there is no job ${describeValue(jobId)}`);
    }
  }
}

function assertRequest({ workerId, names }: PollRequest): void {
  const bytes = Buffer.byteLength(workerId);
  if (bytes === 0 || bytes > MAX_WORKER_ID_BYTES) {
    throw new StatusError(status.INVALID_ARGUMENT, `worker_id takes 1 to ${MAX_WORKER_ID_BYTES} bytes`);
  }
  if (names.length > MAX_NAMES) {
    throw new StatusError(status.INVALID_ARGUMENT, `${names.length} names are too many: ${MAX_NAMES} at most`);
  }
  for (const name of names) assertJobName(name);
}
