import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { ResultWaiter } from '../client/result-waiter.ts';
import { ReseolioError } from '../core/errors.ts';
import { isJobId } from '../core/job-id.ts';
import { StatusError, toServiceError } from './service-errors.ts';
import type { JobCompletion, SubscribeRequest } from './wire-messages.ts';
import { writeCompletion } from './wire-records.ts';

export type SubscribeStream = ServerDuplexStream<SubscribeRequest, JobCompletion>;

/** Jobs that one stream can wait for at once. */
const MAX_JOBS = 100_000;

/** Results that wait for a caller who reads slowly; those beyond are read from the storage when there is room. */
const MAX_QUEUED_BYTES = 4_194_304;
/** What a result takes beside its bytes, roughly. */
const MESSAGE_BYTES = 256;
const HELD_AT_ONCE = 4;

/** The SubscribeToJobs streams that are open. */
export class Subscriptions {
  readonly #waiter: ResultWaiter;
  readonly #open = new Set<Subscription>();
  #isStopping = false;

  constructor(waiter: ResultWaiter) {
    this.#waiter = waiter;
  }

  /** Serves a stream: tells once of each job when it has ended. */
  serve(stream: SubscribeStream): void {
    if (this.#isStopping) throw shuttingDown();
    const subscription = new Subscription(stream, this.#waiter, () => this.#open.delete(subscription));
    this.#open.add(subscription);
  }

  /** Ends all streams. */
  stop(): void {
    this.#isStopping = true;
    for (const subscription of [...this.#open]) subscription.fail(shuttingDown());
  }
}

/** What one stream waits for. */
class Subscription {
  readonly #stream: SubscribeStream;
  readonly #waiter: ResultWaiter;
  readonly #onEnded: () => void;
  /** By job that is waited for. */
  readonly #cancels = new Map<string, () => void>();
  /** Jobs that have ended, and whose results have no room in what waits for the caller. */
  readonly #held = new Set<string>();
  #queuedBytes = 0;
  /** The caller asks for nothing more. */
  #isComplete = false;
  #isEnded = false;

  constructor(stream: SubscribeStream, waiter: ResultWaiter, onEnded: () => void) {
    this.#stream = stream;
    this.#waiter = waiter;
    this.#onEnded = onEnded;
    stream.on('data', (request) => this.#take(request));
    stream.on('end', () => {
      this.#isComplete = true;
      this.#endIfDone();
    });
    for (const event of ['cancelled', 'error', 'close']) stream.on(event, () => this.#end());
  }

  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#end();
    this.#stream.emit('error', toServiceError(error));
  }

  #take({ jobIds, unsubscribe }: SubscribeRequest): void {
    for (const jobId of jobIds) {
      if (this.#isEnded) return;
      if (unsubscribe) this.#unsubscribe(jobId);
      else if (isJobId(jobId)) this.#subscribe(jobId);
    }
  }

  #subscribe(jobId: string): void {
    const cancels = this.#cancels;
    if (cancels.has(jobId) || this.#held.has(jobId)) return;
    if (cancels.size + this.#held.size === MAX_JOBS) {
      this.fail(new StatusError(status.RESOURCE_EXHAUSTED, `one stream takes ${MAX_JOBS} jobs at once`));
      return;
    }
    const cancel = this.#waiter.subscribe(
      jobId,
      (job) => {
        cancels.delete(jobId);
        if (this.#queuedBytes < MAX_QUEUED_BYTES) this.#write(writeCompletion(jobId, job));
        else this.#held.add(jobId);
        this.#endIfDone();
      },
      (error) => this.#giveUp(jobId, error),
    );
    if (!this.#isEnded) cancels.set(jobId, cancel);
  }

  #write(completion: JobCompletion): void {
    const bytes = completion.result.length + completion.error.length + MESSAGE_BYTES;
    this.#queuedBytes += bytes;
    this.#stream.write(completion, () => {
      this.#queuedBytes -= bytes;
      this.#subscribeHeld();
    });
  }

  /** If there is room again: few at once, since each may be large. They are read anew. */
  #subscribeHeld(): void {
    if (this.#held.size === 0 || this.#queuedBytes > MAX_QUEUED_BYTES / 2) return;
    for (const jobId of [...this.#held].slice(0, HELD_AT_ONCE)) {
      if (this.#isEnded) return;
      this.#held.delete(jobId);
      this.#subscribe(jobId);
    }
  }

  #unsubscribe(jobId: string): void {
    this.#held.delete(jobId);
    this.#cancels.get(jobId)?.();
    this.#cancels.delete(jobId);
  }

  /** A job that is not there, or was pruned, will never end; nor is there more to tell when the storage is gone. */
  #giveUp(jobId: string, error: unknown): void {
    this.#cancels.delete(jobId);
    if (!(error instanceof ReseolioError && error.code === 'job_not_found')) {
      this.fail(error);
      return;
    }
    this.#subscribeHeld();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isComplete || this.#isEnded || this.#cancels.size + this.#held.size > 0) return;
    this.#end();
    this.#stream.end();
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    this.#held.clear();
    this.#onEnded();
  }
}

function shuttingDown(): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the server is shutting down: connect again');
}
