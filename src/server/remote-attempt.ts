import { ReseolioError } from '../core/errors.ts';
import { lostAttemptError, reclaimEvent, type StoredError } from '../core/job.ts';
import { LIMITS } from '../core/options.ts';
import type { Payload } from '../core/payload.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, SettleResult } from '../core/storage.ts';
import type { Attempt } from '../worker/attempt.ts';
import { retryOrDead } from '../worker/attempt-outcome.ts';
import type { AckResponse } from './wire-messages.ts';
import { STATUS_OF_STATE } from './wire-records.ts';

/** How a remote worker says that its attempt ended. */
export type RemoteOutcome =
  | { readonly isSuccess: true; readonly result: Payload | null }
  | { readonly isSuccess: false; readonly message: string; readonly shouldRetry: boolean };

/** Whose attempt it is. */
export interface RemoteHolder {
  readonly workerId: string;
  /** The connection that its jobs go out on. */
  readonly peer: string;
}

/** Nobody takes it. */
const GIVEN_UP: AttemptOutcome = { kind: 'release' };

/** An attempt in the hands of a remote worker: one promise for the engine, and one for the worker that ends it. */
export class RemoteAttempt {
  readonly attempt: Attempt;
  readonly holder: RemoteHolder;
  /** Resolves when the worker has answered, or nothing it could answer would be taken any more. */
  readonly outcome: Promise<AttemptOutcome>;
  readonly #runtime: Pick<Runtime, 'random'>;
  readonly #stored: Promise<AckResponse>;
  /** What the worker's answer comes to; null until it has answered. */
  #decided: AttemptOutcome | null = null;
  #end: (outcome: AttemptOutcome) => void = () => {};
  #tell: (response: AckResponse) => void = () => {};
  #refuse: (error: unknown) => void = () => {};

  constructor(attempt: Attempt, holder: RemoteHolder, runtime: Pick<Runtime, 'random'>) {
    this.attempt = attempt;
    this.holder = holder;
    this.#runtime = runtime;
    this.outcome = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#stored = new Promise((resolve, reject) => {
      this.#tell = resolve;
      this.#refuse = reject;
    });
    // Nobody need ask for it.
    this.#stored.catch(() => {});
  }

  /** Counted from 1. */
  get number(): number {
    return this.attempt.job.attempt;
  }

  /**
   * The worker says how it ended. Resolves once that is stored; a repeat gets the same answer.
   *
   * @throws ReseolioError `lease_lost` if the attempt is over already.
   */
  accept(outcome: RemoteOutcome): Promise<AckResponse> {
    const { endedAt, isLeaseLost } = this.attempt;
    if (this.#decided === null) {
      if (endedAt !== null || isLeaseLost) throw attemptOver(this.attempt.job.id);
      this.#decided = this.#decide(outcome);
      this.#end(this.#decided);
    }
    return this.#stored;
  }

  /** Its worker is gone without a goodbye: the attempt counts, as one does whose lease expires. */
  lose(): void {
    const { job } = this.attempt;
    const error = lostAttemptError(this.holder.workerId);
    if (this.#decided !== null) return;
    const isLast = reclaimEvent(job.attempt, job.options.maxAttempts, false) === 'die';
    this.#end(isLast ? { kind: 'dead', error } : { kind: 'retry', error, delayMs: 0 });
  }

  /** It timed out, its lease was lost, or its worker said goodbye. */
  giveUp(): void {
    if (this.#decided === null) this.#end(GIVEN_UP);
  }

  /** The storage has answered what became of it; null: it never did. */
  settle(result: SettleResult | null): void {
    const { job, outcome } = this.attempt;
    // It may have ended otherwise in the moment in which the worker answered.
    const isTaken = this.#decided !== null && this.#decided === outcome;
    if (result === null && isTaken) {
      this.#refuse(outcomeUnknown(job.id));
      return;
    }
    if (result === null || !isTaken || result.status === 'lease_lost') {
      this.#refuse(attemptOver(job.id));
      return;
    }
    const { state, runAt } = result;
    const isRetry = state === 'pending';
    this.#tell({
      newStatus: STATUS_OF_STATE[state],
      nextAttempt: isRetry ? job.attempt + 1 : 0,
      nextRunAt: isRetry ? Math.floor(runAt) : 0,
    });
  }

  #decide(outcome: RemoteOutcome): AttemptOutcome {
    if (outcome.isSuccess) return { kind: 'success', result: outcome.result };
    const error: StoredError = {
      name: 'Error',
      message: outcome.message.slice(0, LIMITS.errorMessageChars).toWellFormed(),
      stack: null,
    };
    if (!outcome.shouldRetry) return { kind: 'dead', error };
    return retryOrDead(this.attempt.job, error, this.#runtime.random());
  }
}

function outcomeUnknown(jobId: string): ReseolioError {
  return new ReseolioError(
    'storage_unavailable',
    `the storage has not said whether the outcome of job ${jobId} is stored; if it is not, the job runs again`,
  );
}

export function attemptOver(jobId: string): ReseolioError {
  return new ReseolioError(
    'lease_lost',
    `no attempt of job ${jobId} is in the hands of this worker (any more); its outcome was not stored`,
  );
}
