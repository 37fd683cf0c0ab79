import type { ReseolioError } from '../core/errors.ts';
import type { JobRecord, Lease } from '../core/job.ts';
import type { AttemptOutcome } from '../core/storage.ts';
import type { CurrentJob } from './current-job.ts';
import type { Deadlined } from './deadline-queue.ts';

export interface AttemptParams {
  readonly job: JobRecord;
  readonly leaseToken: string;
  readonly startedAt: number;
  readonly beat: number;
}

/** One attempt in the hands of this worker, from its claim until its outcome is stored or its lease is lost. */
export class Attempt implements Deadlined {
  readonly job: JobRecord;
  readonly lease: Lease;
  readonly startedAt: number;
  readonly deadline: number;
  queueIndex = -1;
  /** The last heartbeat by which the storage is known to have held the lease. */
  confirmedBeat: number;
  isLeaseLost = false;
  endedAt: number | null = null;
  /** Set when the attempt ends, unless its lease was lost. */
  outcome: AttemptOutcome | null = null;
  #controller: AbortController | null = null;
  #abortReason: ReseolioError | null = null;
  #current: CurrentJob | null = null;

  constructor({ job, leaseToken, startedAt, beat }: AttemptParams) {
    this.job = job;
    this.lease = { jobId: job.id, attempt: job.attempt, token: leaseToken };
    this.startedAt = startedAt;
    this.deadline = startedAt + job.options.timeoutMs;
    this.confirmedBeat = beat;
  }

  /** What the handler sees of it, made when it first looks: most handlers never do. */
  get current(): CurrentJob {
    this.#current ??= this.#createCurrent();
    return this.#current;
  }

  abort(reason: ReseolioError): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  #createCurrent(): CurrentJob {
    const { id, name, attempt } = this.job;
    const getSignal = (): AbortSignal => this.#signal();
    return Object.freeze({
      id,
      name,
      attempt,
      deadline: this.deadline,
      get signal() {
        return getSignal();
      },
    });
  }

  #signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }
}
