import { retryDelayMs } from '../core/backoff.ts';
import { ReseolioError } from '../core/errors.ts';
import type { JobOptions } from '../core/options.ts';
import { encodePayload, type Payload } from '../core/payload.ts';
import type { StepOutcome } from '../core/step.ts';
import { type JobContext, runInContext } from './current-job.ts';
import type { Request } from './request.ts';
import type { Stay } from './stay.ts';
import { isNonRetryable, toStoredError } from './stored-error.ts';
import type { Workflow } from './workflow.ts';

type Returned = Extract<StepOutcome, { kind: 'returned' }>;
type Failed = Extract<StepOutcome, { kind: 'failed' }>;

/** What the function of a step is told of the try that it is. */
export interface StepTry {
  /** Counted from 1, anew when the handler is run again. */
  readonly attempt: number;
  /** Aborts after `timeoutMs`, and when the attempt of the job ends or the job is asked to stop. */
  readonly signal: AbortSignal;
}

export interface StepTriesParams {
  readonly workflow: Workflow;
  readonly request: Request;
  /** That of the handler. */
  readonly context: JobContext;
  readonly name: string;
  readonly run: (current: StepTry) => unknown;
  /** `timeoutMs` null: only the attempt of the job bounds a try. */
  readonly options: Omit<JobOptions, 'timeoutMs'> & { readonly timeoutMs: number | null };
}

/** Runs the function of a step, from one try to the next. */
export class StepTries {
  readonly #params: StepTriesParams;
  #stay: Stay | null = null;

  constructor(params: StepTriesParams) {
    this.#params = params;
  }

  /** Enters the workflow, and leaves it to the caller to {@link leave}. Resolves with null if nobody wants to know any more. */
  async untilDone(): Promise<StepOutcome | null> {
    const { workflow, request, options } = this.#params;
    const { residence } = workflow;
    this.#stay = residence.enter();
    await workflow.startStep(request);
    // A handler that waits may be at something else beside.
    await residence.whenSlot();
    for (let attempt = 1; !workflow.isOver; attempt++) {
      const outcome = await this.#tryOnce(attempt);
      if (outcome.kind === 'returned') return outcome;
      if (!outcome.isRetryable || attempt >= options.maxAttempts || workflow.isStopping) return outcome;
      this.leave();
      this.#stay = residence.enter();
      await this.#stay.wait(this.#backOff(attempt));
      if (workflow.isStopping) return outcome;
    }
    return null;
  }

  leave(): void {
    this.#stay?.leave();
  }

  async #tryOnce(attempt: number): Promise<Returned | Failed> {
    try {
      return { kind: 'returned', result: this.#pack(await this.#call(attempt)) };
    } catch (thrown) {
      const isRetryable = !isNonRetryable(thrown) && !(thrown instanceof UnstorableResult);
      const error = toStoredError(thrown instanceof UnstorableResult ? thrown.cause : thrown);
      return { kind: 'failed', error, attempts: attempt, isRetryable };
    }
  }

  /** A result that cannot be stored fails the step: a repeat would only return it again. */
  #pack(value: unknown): Payload | null {
    const { name, workflow } = this.#params;
    if (value === undefined) return null;
    try {
      return encodePayload(value, `result of step ${name}`, workflow.environment.maxPayloadBytes);
    } catch (error) {
      throw new UnstorableResult(error);
    }
  }

  async #call(attempt: number): Promise<unknown> {
    const { workflow, context, name, run, options } = this.#params;
    const { timeoutMs } = options;
    const stay = this.#stay;
    const timeout = new AbortController();
    let signal: AbortSignal | null = null;
    const current: StepTry = {
      attempt,
      get signal() {
        signal ??= AbortSignal.any([timeout.signal, context.current.signal]);
        return signal;
      },
    };
    const inStep: JobContext = { current: context.current, workflow, stay, hasFailed: false };
    const running = Promise.resolve(runInContext(inStep, run as (...args: unknown[]) => unknown, [current]));
    if (timeoutMs === null) return running;
    return new Promise((resolve, reject) => {
      const timer = workflow.environment.runtime.setTimer(timeoutMs, () => {
        const reason = new ReseolioError(
          'attempt_timeout',
          `step ${name} ran longer than its timeoutMs of ${timeoutMs} ms`,
        );
        reject(reason);
        timeout.abort(reason);
      });
      running.then(resolve, reject).finally(() => timer.cancel());
      if (stay !== null) stay.onOver = () => timer.cancel();
    });
  }

  #backOff(attempt: number): Promise<void> {
    const { workflow, context, options } = this.#params;
    const { runtime } = workflow.environment;
    const { signal } = context.current;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = runtime.setTimer(retryDelayMs(options, attempt, runtime.random()), end);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }
}

class UnstorableResult {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}
