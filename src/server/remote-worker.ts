import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Engine } from '../client/engine.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, SettleResult } from '../core/storage.ts';
import type { Attempt } from '../worker/attempt.ts';
import type { Worker } from '../worker/worker.ts';
import { toStoredError } from '../workflow/stored-error.ts';
import { writeJsonPayload } from './json-payload.ts';
import { RemoteAttempt, type RemoteHolder } from './remote-attempt.ts';
import { type EveryName, RemoteNames } from './remote-names.ts';
import type { PollRequest, WireJob } from './wire-messages.ts';
import { writeWireJob } from './wire-records.ts';

export type PollStream = ServerDuplexStream<PollRequest, WireJob>;

export interface RemoteWorkerParams {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly everyName: EveryName;
  readonly stream: PollStream;
  readonly workerId: string;
  /** An attempt is in its hands from now on, or no longer. */
  readonly onTaken: (attempt: RemoteAttempt) => void;
  readonly onGone: (attempt: RemoteAttempt) => void;
  /** An attempt was over before its job was sent. */
  readonly onStalled: () => void;
}

/** A worker that keeps to the time-out of its job says so a little later. */
const EXTRA_TIME_MS = 1000;

/** A worker at the other end of a stream: claims for it, sends it jobs, and settles what it answers. */
export class RemoteWorker implements RemoteHolder {
  readonly workerId: string;
  readonly peer: string;
  readonly #params: RemoteWorkerParams;
  readonly #names = new RemoteNames();
  readonly #worker: Worker;
  readonly #inHand = new Map<Attempt, RemoteAttempt>();
  #stopped: Promise<void> | null = null;

  constructor(params: RemoteWorkerParams) {
    this.#params = params;
    this.workerId = params.workerId;
    this.peer = params.stream.getPeer();
    this.#worker = params.engine.startWorker({
      workerId: params.workerId,
      workNames: this.#names,
      concurrency: 0,
      workflows: null,
      extraTimeMs: EXTRA_TIME_MS,
      run: (attempt) => this.#send(attempt),
      onSettled: (attempt, result) => this.#letGo(attempt, result),
    });
  }

  /** What the worker can do from now on. No names: every name. */
  register(names: readonly string[], concurrency: number): void {
    const { everyName } = this.#params;
    this.#worker.setConcurrency(Math.max(0, concurrency));
    if (names.length === 0) {
      everyName.follow(this.#names);
    } else {
      everyName.unfollow(this.#names);
      this.#names.replace(names);
    }
  }

  /**
   * Claims no more, gives what is in hand `graceMs` to be answered, then puts it back to pending. Resolves when all that is
   * stored, or after `boundMs` more.
   */
  stop(graceMs: number, boundMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs, boundMs);
    return this.#stopped;
  }

  /**
   * The worker is gone: puts what it has in hand back at once, even during a {@link stop} that gives it time. `isLost`: it
   * has not said so, and what it did last may be why.
   */
  leave(isLost: boolean, boundMs: number): Promise<void> {
    const stopped = this.stop(0, boundMs);
    for (const attempt of this.#inHand.values()) {
      if (isLost) attempt.lose();
      else attempt.giveUp();
    }
    return stopped;
  }

  async #stop(graceMs: number, boundMs: number): Promise<void> {
    const { engine, everyName } = this.#params;
    engine.forgetWorker(this.#worker);
    everyName.unfollow(this.#names);
    await this.#worker.stop(graceMs, boundMs);
    for (const attempt of [...this.#inHand.keys()]) this.#letGo(attempt, null);
  }

  #send(attempt: Attempt): AttemptOutcome | Promise<AttemptOutcome> {
    const { runtime, stream, onTaken, onStalled } = this.#params;
    let isSent = false;
    const { job, current } = attempt;
    try {
      writeJsonPayload(job.args, 'args');
    } catch (error) {
      // No remote worker could ever be given it.
      return { kind: 'dead', error: toStoredError(error) };
    }
    const remote = new RemoteAttempt(attempt, this, runtime);
    this.#inHand.set(attempt, remote);
    onTaken(remote);
    attempt.onAbort = (isOver) => {
      remote.giveUp();
      // Of this one the storage is asked nothing more.
      if (attempt.isLeaseLost) this.#letGo(attempt, null);
      if (isOver && !isSent && this.#stopped === null) onStalled();
    };
    stream.write(writeWireJob(job, job, current.deadline), () => {
      isSent = true;
    });
    return remote.outcome;
  }

  /** `result` null: the storage has not said what became of it. */
  #letGo(attempt: Attempt, result: SettleResult | null): void {
    const remote = this.#inHand.get(attempt);
    if (remote === undefined) return;
    this.#inHand.delete(attempt);
    this.#params.onGone(remote);
    remote.settle(result);
  }
}
