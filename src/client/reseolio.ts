import { ReseolioError } from '../core/errors.ts';
import { JobIdGenerator } from '../core/job-id.ts';
import { assertJobName, describeValue, type JobOptions, resolveJobOptions } from '../core/options.ts';
import type { NameCounts } from '../core/storage.ts';
import { EventHub } from '../worker/event-hub.ts';
import { type Handler, HandlerRegistry } from '../worker/handler-registry.ts';
import { type CancelOptions, resolveCancelOptions } from './cancel-options.ts';
import {
  assertSubscription,
  type ReseolioEventName,
  type ReseolioEvents,
  type ReseolioListener,
} from './client-events.ts';
import { ClientLifecycle } from './client-lifecycle.ts';
import { type ReseolioOptions, resolveClientOptions } from './client-options.ts';
import { createDurableFunction, type DurableFunction } from './durable-function.ts';
import type { Engine } from './engine.ts';
import { Enqueuer } from './enqueuer.ts';
import { assertJobId, JobAccess, type JobDetails, type JobList } from './job-access.ts';
import { JobHandle } from './job-handle.ts';
import type { ListJobsQuery } from './list-jobs-query.ts';
import { joinNamespace } from './namespace.ts';
import { type PreviewOptions, ScheduleAccess } from './schedule-access.ts';
import { ScheduleHandle } from './schedule-handle.ts';
import type { ListSchedulesQuery } from './schedule-options.ts';
import type { ScheduleList } from './schedule-overview.ts';

/**
 * Durable functions on one storage: the calls are jobs, and this process runs those it has handlers for.
 *
 * ```ts
 * await using reseolio = new Reseolio({ storage: 'lmdb://./jobs' });
 * const sendEmail = reseolio.durable('email:send', async (to: string) => ({ sentTo: to }));
 * await reseolio.start();
 * const handle = await sendEmail('user@example.com');
 * const { sentTo } = await handle.result();
 * ```
 *
 * What reaches the storage rejects with `not_started` before `start()` has resolved and with `stopped` once `stop()`
 * was called, except in handlers that still run in their grace time.
 */
export class Reseolio implements AsyncDisposable {
  readonly #registry = new HandlerRegistry();
  readonly #events = new EventHub<ReseolioEvents>();
  readonly #lifecycle: ClientLifecycle;
  readonly #access: JobAccess;
  readonly #enqueuer: Enqueuer;
  readonly #schedules: ScheduleAccess;

  /** @throws ReseolioError `invalid_option`. */
  constructor(options: ReseolioOptions = {}) {
    const resolved = resolveClientOptions(options);
    const ids = new JobIdGenerator(resolved.runtime);
    const lifecycle = new ClientLifecycle({ options: resolved, registry: this.#registry, events: this.#events, ids });
    this.#lifecycle = lifecycle;
    const { runtime, maxPayloadBytes } = resolved;
    const source = (): Engine => lifecycle.requireEngine();
    this.#access = new JobAccess({ source, ids, maxPayloadBytes });
    this.#enqueuer = new Enqueuer({ source, access: this.#access, ids, events: this.#events, maxPayloadBytes });
    this.#schedules = new ScheduleAccess({ source, ids, runtime, maxPayloadBytes });
  }

  /**
   * Opens the storage and begins to run jobs. Resolves once calls are taken. Handlers may be registered before or
   * after. Without effect on a client that is started; after a failure it can be called again.
   *
   * @throws ReseolioError `unknown_storage`, `storage_unavailable`, `storage_version`; `stopped` after `stop()`.
   */
  async start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Claims no more jobs, waits up to `shutdownGraceMs` for running handlers, then aborts their signals and releases
   * their jobs, which lose no attempt by it. Resolves when all outcomes are stored and nothing of the client runs any
   * more; at once if nothing runs. `result()` calls that still wait reject with `stopped`. A storage that the caller
   * opened is left open. Can be called at any time and again; a stopped client cannot be started anew.
   */
  async stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Joins parts of a function name: `namespace('email', 'send')` is `email:send`.
   *
   * @throws ReseolioError `invalid_name` for parts that are empty or hold ':' or '/', and for none.
   */
  namespace(...parts: string[]): string {
    return joinNamespace(parts);
  }

  /**
   * Makes `handler` durable: the function that is returned enqueues a job instead of running it. From here on this
   * client claims jobs of `name`, those that other processes enqueued included. A handler may run more than once for
   * one job: after a crash, a lost lease, or an error.
   *
   * @param name 1 to 128 letters, digits and `. _ : / -`, beginning with a letter or digit.
   * @param options What its calls have unless they say otherwise.
   * @throws ReseolioError `invalid_name`, `invalid_option`, `invalid_argument`, `duplicate_handler`;
   *   `stopped` after `stop()`.
   */
  durable<Args extends unknown[], Result>(
    name: string,
    handler: (...args: Args) => Result,
    options: Partial<JobOptions> = {},
  ): DurableFunction<Args, Awaited<Result>> {
    this.#lifecycle.assertNotStopped();
    assertJobName(name);
    if (typeof handler !== 'function') {
      throw new ReseolioError('invalid_argument', `the handler of ${name} is ${describeValue(handler)}`);
    }
    const created = this.#createFunction<Args, Awaited<Result>>(name, options);
    this.#registry.add(name, handler as Handler);
    return created;
  }

  /**
   * A durable function whose handler is elsewhere: in another process, or in another language over gRPC. Its calls are jobs
   * as those of {@link durable} are, children in a handler included; this client runs none of them.
   *
   * @throws ReseolioError `invalid_name`, `invalid_option`; `stopped` after `stop()`.
   */
  remote<Args extends unknown[] = unknown[], Result = unknown>(
    name: string,
    options: Partial<JobOptions> = {},
  ): DurableFunction<Args, Result> {
    this.#lifecycle.assertNotStopped();
    assertJobName(name);
    return this.#createFunction(name, options);
  }

  /**
   * A handle on a job by its id, such as one that another process made. Does not look whether the job is there.
   *
   * @throws ReseolioError `invalid_argument` for what is no id, `not_started`, `stopped`.
   */
  getHandle<Result = unknown>(jobId: string): JobHandle<Result> {
    this.#lifecycle.requireEngine();
    assertJobId(jobId);
    return new JobHandle<Result>(this.#access, jobId, false);
  }

  /** Resolves with all that is known of a job, null if it is not there. */
  async getJob(jobId: string): Promise<JobDetails | null> {
    return this.#access.readDetails(jobId);
  }

  /**
   * A page of jobs, without their arguments and results, and how many the filter matches on all pages.
   *
   * @throws ReseolioError `invalid_option`, `invalid_name`.
   */
  async listJobs(query: ListJobsQuery = {}): Promise<JobList> {
    return this.#access.list(query);
  }

  /**
   * As `cancel` of a {@link JobHandle}.
   *
   * @throws ReseolioError `job_not_found`, `invalid_argument`, `invalid_option`.
   */
  async cancelJob(jobId: string, options: CancelOptions = {}): Promise<boolean> {
    return this.#access.cancel(jobId, resolveCancelOptions(options));
  }

  /**
   * Puts a dead job back to pending, its attempts counted anew. Resolves with false if it is in another state.
   *
   * @throws ReseolioError `job_not_found`.
   */
  async retryJob(jobId: string): Promise<boolean> {
    return this.#access.retry(jobId);
  }

  /** How many jobs of each name are in each state. */
  async counts(): Promise<NameCounts[]> {
    return this.#access.counts();
  }

  /**
   * The schedule of an id or a name, deleted ones too; null if there is none.
   *
   * @throws ReseolioError `invalid_argument`.
   */
  async getSchedule(idOrName: string): Promise<ScheduleHandle | null> {
    const found = await this.#schedules.find(idOrName);
    return found === null ? null : new ScheduleHandle(this.#schedules, found);
  }

  /**
   * A page of schedules, those that are due next first, and how many there are on all pages.
   *
   * @throws ReseolioError `invalid_option`.
   */
  async listSchedules(query: ListSchedulesQuery = {}): Promise<ScheduleList> {
    return this.#schedules.list(query);
  }

  /**
   * The next `count` occurrences, 1 to 1000, of a schedule that said this, Unix milliseconds by the clock of this process.
   * Nothing is stored, and the client need not be started.
   *
   * @throws ReseolioError `invalid_cron`, `invalid_timezone`, `invalid_option`.
   */
  async previewSchedule(options: PreviewOptions, count: number): Promise<number[]> {
    return this.#schedules.preview(options, count);
  }

  /**
   * Calls `listener` at each `event`, synchronously. One that throws disturbs nothing: the error becomes a process
   * warning.
   *
   * @throws ReseolioError `invalid_argument` for an unknown event.
   */
  on<Name extends ReseolioEventName>(event: Name, listener: ReseolioListener<Name>): this {
    assertSubscription(event, listener);
    this.#events.on(event, listener);
    return this;
  }

  /** As {@link on}, for the next one only. */
  once<Name extends ReseolioEventName>(event: Name, listener: ReseolioListener<Name>): this {
    assertSubscription(event, listener);
    this.#events.once(event, listener);
    return this;
  }

  /** Takes back one {@link on} or {@link once} of `listener`; without effect if there was none. */
  off<Name extends ReseolioEventName>(event: Name, listener: ReseolioListener<Name>): this {
    assertSubscription(event, listener);
    this.#events.off(event, listener);
    return this;
  }

  #createFunction<Args extends unknown[], Result>(
    name: string,
    options: Partial<JobOptions>,
  ): DurableFunction<Args, Result> {
    const resolved = Object.freeze(resolveJobOptions(options));
    return createDurableFunction({ name, options: resolved, enqueuer: this.#enqueuer, schedules: this.#schedules });
  }
}
