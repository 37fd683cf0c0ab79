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
import { settlesWithin } from '../worker/settles-within.ts';
import { StorageErrors } from '../worker/storage-errors.ts';
import { Worker } from '../worker/worker.ts';
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

/** All that runs between `start()` and `stop()`. */
export class Engine {
  readonly storage: Storage;
  readonly waiter: ResultWaiter;
  readonly workerId: string;
  readonly #params: EngineParams;
  readonly #errors: StorageErrors;
  readonly #worker: Worker | null;
  readonly #scheduler: MaintenanceLoop;
  readonly #loops: readonly MaintenanceLoop[];
  #stopWatching: () => void = () => {};

  constructor(params: EngineParams) {
    const { storage, options, events, ids, workerId } = params;
    const { runtime, workerConcurrency: concurrency, leaseMs, maxPayloadBytes, retention } = options;
    this.#params = params;
    this.storage = storage;
    this.workerId = workerId;
    const errors = new StorageErrors(events);
    this.#errors = errors;
    this.waiter = new ResultWaiter({ runtime, storage, errors });
    this.#worker =
      concurrency === 0
        ? null
        : new Worker({
            ...params,
            runtime,
            errors,
            tokens: ids,
            concurrency,
            leaseMs,
            maxPayloadBytes,
            onFinished: (jobId, job) => this.waiter.answer(jobId, job),
          });
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
    this.#worker?.start();
    for (const loop of this.#loops) loop.start();
  }

  /** Resolves when nothing of the client runs any more. */
  async stop(): Promise<void> {
    const { options, ownsStorage } = this.#params;
    const { runtime, shutdownGraceMs } = options;
    const storageBoundMs = Math.max(shutdownGraceMs, MIN_STORAGE_BOUND_MS);
    const loopsEnded = Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#worker?.stop(shutdownGraceMs, storageBoundMs);
    this.waiter.stop(new ReseolioError('stopped', 'the client was stopped while the call waited'));
    this.#stopWatching();
    this.#errors.close();
    await settlesWithin(runtime, loopsEnded, storageBoundMs);
    if (ownsStorage) await settlesWithin(runtime, this.storage.close(), storageBoundMs);
  }

  #takeHint(hint: StorageHint): void {
    switch (hint.kind) {
      case 'work':
        this.#worker?.wake(hint.names);
        break;
      case 'finished':
        this.waiter.look(hint.jobIds);
        break;
      case 'schedules':
        this.#scheduler.wake();
        break;
      case 'failed':
        this.#errors.fail('watch', hint.error);
        break;
    }
  }

  #tellReclaimed(jobs: readonly ReclaimedJob[]): void {
    const { events } = this.#params;
    for (const { jobId, name, attempt, state } of jobs) {
      const lost = { jobId, name, attempt, error: LOST };
      if (events.hasListeners('job:error'))
        events.emit('job:error', { ...lost, retryInMs: state === 'dead' ? null : 0 });
      if (state === 'dead') events.emit('job:dead', lost);
    }
  }
}
