import { ReseolioError } from '../core/errors.ts';
import type { StoredError } from '../core/job.ts';
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
  #end: (outcome: AttemptOutcome) => void = () => {};
  #tell: (response: AckResponse) => void = () => {};
  #refuse: (error: unknown) => void = () => {};
  #isAnswered = false;

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

  /**
   * The worker says how it ended. Resolves once that is stored; a repeat gets the same answer.
   *
   * @throws ReseolioError `lease_lost` if the attempt is over already.
   */
  accept(outcome: RemoteOutcome): Promise<AckResponse> {
    const { endedAt, isLeaseLost } = this.attempt;
    if (!this.#isAnswered && (endedAt !== null || isLeaseLost)) throw attemptOver(this.attempt.job.id);
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#end(this.#decide(outcome));
    }
    return this.#stored;
  }

  /** It timed out, its lease was lost, or it was given back. */
  giveUp(): void {
    if (!this.#isAnswered) this.#end(GIVEN_UP);
  }

  /** The storage has answered what became of it, null if nothing was stored. */
  settle(result: SettleResult | null): void {
    if (!this.#isAnswered || result === null || result.status === 'lease_lost') {
      this.#refuse(attemptOver(this.attempt.job.id));
      return;
    }
    const { state, runAt } = result;
    const isRetry = state === 'pending';
    this.#tell({
      newStatus: STATUS_OF_STATE[state],
      nextAttempt: isRetry ? this.attempt.job.attempt + 1 : 0,
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

export function attemptOver(jobId: string): ReseolioError {
  return new ReseolioError(
    'lease_lost',
    `no attempt of job ${jobId} is in the hands of this worker (any more); its outcome was not stored`,
  );
}
