import { ReseolioError } from '../core/errors.ts';
import type { StoredError } from '../core/job.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import type { ReclaimedJob, Storage, StorageHint } from '../core/storage.ts';
import type { MaintenanceLoop } from '../maintenance/maintenance-loop.ts';
import { createPruner } from '../maintenance/pruner.ts';
import { createReclaimer } from '../maintenance/reclaimer.ts';
import { createScheduler } from '../maintenance/scheduler.ts';
import type { EventSink } from '../worker/event-hub.ts';
import type { HandlerRegistry } from '../worker/handler-registry.ts';
import { createHandlerRunner } from '../worker/run-handler.ts';
import { settlesWithin } from '../worker/settles-within.ts';
import { StorageErrors } from '../worker/storage-errors.ts';
import { Worker, type WorkerParams } from '../worker/worker.ts';
import { Turns } from '../workflow/turns.ts';
import type { WorkflowEnvironment } from '../workflow/workflow-host.ts';
import { cancelDescendants } from './cancel-job.ts';
import type { ReseolioEvents } from './client-events.ts';
import type { ClientOptions } from './client-options.ts';
import { ResultWaiter } from './result-waiter.ts';

const LOST: StoredError = {
  name: 'AttemptLostError',
  message: 'the lease expired before the attempt ended: its worker died, or was blocked for too long',
  stack: null,
};

/** A storage that answers at all answers a last call in this time, however short the grace time is. */
const MIN_STORAGE_BOUND_MS = 1000;

export interface EngineParams {
  readonly storage: Storage;
  /** False: the caller opened the storage, and closes it. */
  readonly ownsStorage: boolean;
  readonly options: ClientOptions;
  readonly registry: HandlerRegistry;
  readonly events: EventSink<ReseolioEvents>;
  readonly ids: JobIdGenerator;
  readonly workerId: string;
}

/** What is a worker's own. */
export type EngineWorkerParams = Pick<
  WorkerParams,
  'workerId' | 'workNames' | 'concurrency' | 'run' | 'workflows' | 'extraTimeMs' | 'onSettled'
>;

/** All that runs between `start()` and `stop()`. */
export class Engine {
  readonly storage: Storage;
  readonly waiter: ResultWaiter;
  readonly workerId: string;
  readonly #params: EngineParams;
  readonly #errors: StorageErrors;
  readonly #workers = new Set<Worker>();
  readonly #scheduler: MaintenanceLoop;
  readonly #loops: readonly MaintenanceLoop[];
  #stopWatching: () => void = () => {};

  constructor(params: EngineParams) {
    const { storage, options, events, ids, workerId, registry } = params;
    const { runtime, workerConcurrency: concurrency, leaseMs, maxPayloadBytes, retention } = options;
    this.#params = params;
    this.storage = storage;
    this.workerId = workerId;
    const errors = new StorageErrors(events);
    this.#errors = errors;
    this.waiter = new ResultWaiter({ runtime, storage, errors });
    if (concurrency > 0) {
      const run = createHandlerRunner({ runtime, registry, maxPayloadBytes });
      const workflows = this.#createWorkflowEnvironment();
      const own = { workerId, workNames: registry, concurrency, run, workflows, extraTimeMs: 0, onSettled: null };
      this.#workers.add(this.#createWorker(own));
    }
    this.#scheduler = createScheduler({
      runtime,
      storage,
      ids,
      events,
      reportError: (error) => errors.report('schedule', error),
    });
    this.#loops = [
      this.#scheduler,
      createReclaimer({
        runtime,
        storage,
        leaseMs,
        onReclaimed: (jobs) => this.#tellReclaimed(jobs),
        reportError: (error) => errors.report('reclaim', error),
      }),
      createPruner({ runtime, storage, retention, reportError: (error) => errors.report('prune', error) }),
    ];
  }

  start(): void {
    this.#stopWatching = this.storage.watch((hint) => this.#takeHint(hint));
    for (const worker of this.#workers) worker.start();
    for (const loop of this.#loops) loop.start();
  }

  /** Starts one more worker beside that of the client. It is woken with it, and has to be stopped before the engine is. */
  startWorker(params: EngineWorkerParams): Worker {
    const worker = this.#createWorker(params);
    this.#workers.add(worker);
    worker.start();
    return worker;
  }

  /** A worker that was started here is stopped, or is about to be: it is woken no more. */
  forgetWorker(worker: Worker): void {
    this.#workers.delete(worker);
  }

  /** Resolves when nothing of the client runs any more. */
  async stop(): Promise<void> {
    const { options, ownsStorage } = this.#params;
    const { runtime, shutdownGraceMs } = options;
    const storageBoundMs = Math.max(shutdownGraceMs, MIN_STORAGE_BOUND_MS);
    const loopsEnded = Promise.all(this.#loops.map((loop) => loop.stop()));
    await Promise.all([...this.#workers].map((worker) => worker.stop(shutdownGraceMs, storageBoundMs)));
    this.waiter.stop(new ReseolioError('stopped', 'the client was stopped while the call waited'));
    this.#stopWatching();
    this.#errors.close();
    await settlesWithin(runtime, loopsEnded, storageBoundMs);
    if (ownsStorage) await settlesWithin(runtime, this.storage.close(), storageBoundMs);
  }

  #takeHint(hint: StorageHint): void {
    switch (hint.kind) {
      case 'work':
        this.#wakeWorkers(hint.names);
        break;
      case 'finished':
        this.waiter.look(hint.jobIds);
        break;
      case 'signals':
        for (const worker of this.#workers) worker.lookAt(hint.jobIds);
        break;
      case 'schedules':
        this.#scheduler.wake();
        break;
      case 'failed':
        this.#errors.fail('watch', hint.error);
        break;
    }
  }

  /** The first to be woken is another each time, so that of many who wait for work none is always too late. */
  #wakeWorkers(names: readonly string[] | null): void {
    const [first] = this.#workers;
    if (first === undefined) return;
    this.#workers.delete(first);
    this.#workers.add(first);
    for (const worker of this.#workers) worker.wake(names);
  }

  #createWorkflowEnvironment(): WorkflowEnvironment {
    const { storage, options } = this.#params;
    const { runtime, maxPayloadBytes, suspendAfterMs } = options;
    return {
      runtime,
      storage,
      turns: new Turns(runtime),
      maxPayloadBytes,
      suspendAfterMs,
      reportError: (error) => this.#errors.report('record', error),
      awaitJob: (jobId, { onFinished, onMissing, onPending }) =>
        this.waiter.subscribe(jobId, onFinished, onMissing, onPending),
      lookAtJob: (jobId) => this.waiter.look([jobId]),
      expectJob: (jobId) => this.waiter.expect(jobId),
    };
  }

  #createWorker(params: EngineWorkerParams): Worker {
    const { storage, options, events, ids } = this.#params;
    const { runtime, leaseMs } = options;
    return new Worker({
      ...params,
      runtime,
      storage,
      events,
      errors: this.#errors,
      tokens: ids,
      leaseMs,
      onFinished: (jobId, job) => this.waiter.answer(jobId, job),
      onCancelled: (jobId) => this.#cancelDescendants(jobId),
    });
  }

  /** What a job called after its children were cancelled, and before it heard that it was to stop. */
  #cancelDescendants(jobId: string): void {
    // Cancelling the job again does so as well.
    cancelDescendants(this.storage, jobId).catch((error: unknown) => this.#errors.report('cancel', error));
  }

  #tellReclaimed(jobs: readonly ReclaimedJob[]): void {
    const { events } = this.#params;
    for (const { jobId, name, attempt, state } of jobs) {
      const lost = { jobId, name, attempt, error: LOST };
      if (state === 'cancelled') this.#cancelDescendants(jobId);
      if (events.hasListeners('job:error'))
        events.emit('job:error', { ...lost, retryInMs: state === 'pending' ? 0 : null });
      if (state === 'dead') events.emit('job:dead', lost);
    }
  }
}
