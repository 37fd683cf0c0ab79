import { hostname } from 'node:os';
import { openStorage } from '../backends/open-storage.ts';
import { ReseolioError } from '../core/errors.ts';
import { JobIdGenerator } from '../core/job-id.ts';
import { assertJobName, describeValue, type JobOptions, resolveJobOptions } from '../core/options.ts';
import type { NameCounts } from '../core/storage.ts';
import { hasCurrentJob } from '../worker/current-job.ts';
import { EventHub } from '../worker/event-hub.ts';
import { type Handler, HandlerRegistry } from '../worker/handler-registry.ts';
import { settlesWithin } from '../worker/settles-within.ts';
import { EVENT_NAMES, type ReseolioEventName, type ReseolioEvents, type ReseolioListener } from './client-events.ts';
import { type ClientOptions, type ReseolioOptions, resolveClientOptions } from './client-options.ts';
import { createDurableFunction, type DurableFunction } from './durable-function.ts';
import { Engine } from './engine.ts';
import { Enqueuer } from './enqueuer.ts';
import { assertJobId, JobAccess, type JobDetails, type JobList } from './job-access.ts';
import { JobHandle } from './job-handle.ts';
import type { ListJobsQuery } from './list-jobs-query.ts';
import { joinNamespace } from './namespace.ts';

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
  readonly #options: ClientOptions;
  readonly #registry = new HandlerRegistry();
  readonly #events = new EventHub<ReseolioEvents>();
  readonly #ids: JobIdGenerator;
  readonly #access: JobAccess;
  readonly #enqueuer: Enqueuer;
  #engine: Engine | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #isStopping = false;
  #isStopped = false;

  /** @throws ReseolioError `invalid_option`. */
  constructor(options: ReseolioOptions = {}) {
    this.#options = resolveClientOptions(options);
    this.#ids = new JobIdGenerator(this.#options.runtime);
    this.#access = new JobAccess(() => this.#requireEngine());
    this.#enqueuer = new Enqueuer({
      storage: () => this.#requireEngine().storage,
      access: this.#access,
      ids: this.#ids,
      events: this.#events,
      maxPayloadBytes: this.#options.maxPayloadBytes,
    });
  }

  /**
   * Opens the storage and begins to run jobs. Resolves once calls are taken. Handlers may be registered before or
   * after. Without effect on a client that is started; after a failure it can be called again.
   *
   * @throws ReseolioError `unknown_storage`, `storage_unavailable`, `storage_version`; `stopped` after `stop()`.
   */
  async start(): Promise<void> {
    if (this.#isStopping) throw stopped();
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  /**
   * Claims no more jobs, waits up to `shutdownGraceMs` for running handlers, then aborts their signals and releases
   * their jobs, which lose no attempt by it. Resolves when all outcomes are stored and nothing of the client runs any
   * more; at once if nothing runs. `result()` calls that still wait reject with `stopped`. A storage that the caller
   * opened is left open. Can be called at any time and again; a stopped client cannot be started anew.
   */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
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
   * @throws ReseolioError `invalid_name`, `invalid_option`, `invalid_argument`, `duplicate_handler`.
   */
  durable<Args extends unknown[], Result>(
    name: string,
    handler: (...args: Args) => Result,
    options: Partial<JobOptions> = {},
  ): DurableFunction<Args, Awaited<Result>> {
    assertJobName(name);
    if (typeof handler !== 'function') {
      throw new ReseolioError('invalid_argument', `the handler of ${name} is ${describeValue(handler)}`);
    }
    const resolved = Object.freeze(resolveJobOptions(options));
    this.#registry.add(name, handler as Handler);
    return createDurableFunction({ name, options: resolved, enqueuer: this.#enqueuer });
  }

  /**
   * A handle on a job by its id, such as one that another process made. Does not look whether the job is there.
   *
   * @throws ReseolioError `invalid_argument` for what is no id, `not_started`, `stopped`.
   */
  getHandle<Result = unknown>(jobId: string): JobHandle<Result> {
    this.#requireEngine();
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
   * Cancels a job that is pending, waiting retries included. Resolves with false if it is running or has finished.
   *
   * @throws ReseolioError `job_not_found`.
   */
  async cancelJob(jobId: string): Promise<boolean> {
    return this.#access.cancel(jobId);
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

  async #start(): Promise<void> {
    const { storage: given, runtime, durability } = this.#options;
    const ownsStorage = typeof given === 'string';
    const storage = await (ownsStorage ? openStorage(given, { runtime, durability }) : given);
    if (this.#isStopping) {
      if (ownsStorage) await storage.close();
      throw stopped();
    }
    this.#engine = new Engine({
      storage,
      ownsStorage,
      options: this.#options,
      registry: this.#registry,
      events: this.#events,
      ids: this.#ids,
      workerId: this.#createWorkerId(),
    });
    this.#engine.start();
    this.#events.emit('ready', { workerId: this.#engine.workerId });
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    const { runtime, shutdownGraceMs } = this.#options;
    if (this.#starting !== null && this.#engine === null) {
      await settlesWithin(runtime, this.#starting, Math.max(shutdownGraceMs, 1000));
    }
    await this.#engine?.stop();
    this.#isStopped = true;
    if (this.#engine !== null) this.#events.emit('stopped', { workerId: this.#engine.workerId });
  }

  /** A handler that ends in its grace time may still enqueue and read; all others are told at once. */
  #requireEngine(): Engine {
    if (this.#isStopped || (this.#isStopping && !hasCurrentJob())) throw stopped();
    if (this.#engine === null) {
      throw new ReseolioError('not_started', 'the client was used before start() had resolved: await start() first');
    }
    return this.#engine;
  }

  #createWorkerId(): string {
    const random = new Uint8Array(4);
    this.#options.runtime.fillRandom(random);
    return `${hostname()}:${process.pid}:${Buffer.from(random).toString('hex')}`;
  }
}

function stopped(): ReseolioError {
  return new ReseolioError('stopped', 'the client was stopped: make a new one');
}

function assertSubscription(event: unknown, listener: unknown): void {
  if (typeof event !== 'string' || !EVENT_NAMES.has(event)) {
    throw new ReseolioError(
      'invalid_argument',
      `${describeValue(event)} is no event: use ${[...EVENT_NAMES].join(', ')}`,
    );
  }
  if (typeof listener !== 'function') {
    throw new ReseolioError('invalid_argument', `the listener of ${event} is ${describeValue(listener)}`);
  }
}
