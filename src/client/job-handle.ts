import type { JobState } from '../core/job.ts';
import { quietInHandler } from '../workflow/current-job.ts';
import { type CancelOptions, resolveCancelOptions } from './cancel-options.ts';
import { type JobAccess, type JobDetails, jobNotFound } from './job-access.ts';

/** A durable call. Any number of handles, in any process that opened the storage, can stand for one job. */
export class JobHandle<Result = unknown> {
  readonly jobId: string;
  /** True: an earlier call with the same function name and idempotency key made the job. */
  readonly deduplicated: boolean;
  readonly #access: JobAccess;

  /** Made by the client: call a durable function, or `getHandle`. */
  constructor(access: JobAccess, jobId: string, deduplicated: boolean) {
    this.#access = access;
    this.jobId = jobId;
    this.deduplicated = deduplicated;
  }

  /**
   * Resolves with what the handler returned, once that is durable; at once for a job that has long finished. Each call
   * gets a copy of its own. A wait keeps the process alive.
   *
   * @param timeoutMs How long to wait, milliseconds, 0 to 24 days. Default: for ever. The job runs on all the same.
   * @throws JobFailedError if the job ended dead, JobCancelledError if it was cancelled, ResultTimeoutError after
   *   `timeoutMs`; ReseolioError `job_not_found` if it was pruned, `stopped` if the client stops first.
   */
  result(timeoutMs?: number): Promise<Result> {
    return quietInHandler(this.#access.awaitResult(this.jobId, timeoutMs)) as Promise<Result>;
  }

  /** @throws ReseolioError `job_not_found` if there is no such job (any more). */
  async status(): Promise<JobState> {
    return this.#access.readStatus(this.jobId);
  }

  /** @throws ReseolioError `job_not_found` if there is no such job (any more). */
  async details(): Promise<JobDetails<Result>> {
    const details = await this.#access.readDetails(this.jobId);
    if (details === null) throw jobNotFound(this.jobId);
    return details as JobDetails<Result>;
  }

  /**
   * Cancels the job if it is pending: waiting for a retry and suspended ones included. Resolves with false if it is running or
   * has finished. Children that its handler called are cancelled too, running ones asked to stop.
   *
   * @param options `running: true`: a running job is asked to stop, wherever it runs: the `AbortSignal` of its handler
   *   aborts and what it waits for rejects. It ends cancelled unless its handler returns. Resolves with true then as well.
   * @throws ReseolioError `job_not_found` if there is no such job (any more), `invalid_option`.
   */
  async cancel(options: CancelOptions = {}): Promise<boolean> {
    return this.#access.cancel(this.jobId, resolveCancelOptions(options));
  }

  /**
   * Sends a signal to the job, for `waitForSignal(name)` in its handler. Resolves once it is durable; it is kept until the
   * handler waits for it, or the job ends.
   *
   * @param name 1 to 128 bytes of well-formed text.
   * @param payload As an argument of a call.
   * @throws ReseolioError `job_not_found`, `job_finished`, `invalid_argument`, `payload_unserializable`, `payload_too_large`;
   *   `step_limit` for more than 10 000 signals to one job.
   */
  async signal(name: string, payload?: unknown): Promise<void> {
    return this.#access.signal(this.jobId, name, payload);
  }
}
