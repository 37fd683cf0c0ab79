import { hostname } from 'node:os';
import { isStorageLocation, openStorage } from '../backends/open-storage.ts';
import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import type { EventSink } from '../worker/event-hub.ts';
import type { HandlerRegistry } from '../worker/handler-registry.ts';
import { settlesWithin } from '../worker/settles-within.ts';
import { hasCurrentJob } from '../workflow/current-job.ts';
import type { ReseolioEvents } from './client-events.ts';
import type { ClientOptions } from './client-options.ts';
import { Engine } from './engine.ts';

/** How long `stop()` waits at least for a `start()` that is still opening the storage. */
const MIN_START_BOUND_MS = 1000;

/** A start that fails leads back to `new`; stopping may begin in any of the first three. */
type State =
  | { readonly phase: 'new' }
  | { readonly phase: 'starting'; readonly started: Promise<void> }
  | { readonly phase: 'started'; readonly engine: Engine }
  | { readonly phase: 'stopping'; readonly engine: Engine | null; readonly stopped: Promise<void> }
  | { readonly phase: 'stopped' };

export interface ClientLifecycleParams {
  readonly options: ClientOptions;
  readonly registry: HandlerRegistry;
  readonly events: EventSink<ReseolioEvents>;
  readonly ids: JobIdGenerator;
}

/** Makes the engine of a client, ends it, and hands it out in between. */
export class ClientLifecycle {
  readonly #params: ClientLifecycleParams;
  #state: State = { phase: 'new' };

  constructor(params: ClientLifecycleParams) {
    this.#params = params;
  }

  async start(): Promise<void> {
    this.assertNotStopped();
    const state = this.#state;
    if (state.phase === 'starting') return state.started;
    if (state.phase !== 'new') return;
    const started = this.#startEngine().catch((error: unknown) => {
      if (!this.#hasStopped()) this.#state = { phase: 'new' };
      throw error;
    });
    this.#state = { phase: 'starting', started };
    return started;
  }

  async stop(): Promise<void> {
    const state = this.#state;
    if (state.phase === 'stopped') return;
    if (state.phase === 'stopping') return state.stopped;
    const engine = state.phase === 'started' ? state.engine : null;
    const started = state.phase === 'starting' ? state.started : null;
    // Begins in a microtask: by then the state says so to whatever the engine calls on its way.
    const stopped = Promise.resolve().then(() => this.#stopEngine(engine, started));
    this.#state = { phase: 'stopping', engine, stopped };
    return stopped;
  }

  /** Throws `not_started` before a start has succeeded, and `stopped` from when `stop()` is called. */
  requireEngine(): Engine {
    const state = this.#state;
    switch (state.phase) {
      case 'started':
        return state.engine;
      case 'stopping':
        // A handler that ends in its grace time may still enqueue and read; all others are told at once.
        if (state.engine !== null && hasCurrentJob()) return state.engine;
        throw createStoppedError();
      case 'stopped':
        throw createStoppedError();
      case 'new':
      case 'starting':
        throw new ReseolioError('not_started', 'the client was used before start() had resolved: await start() first');
    }
  }

  /** Throws `stopped` from when `stop()` is called. */
  assertNotStopped(): void {
    if (this.#hasStopped()) throw createStoppedError();
  }

  async #startEngine(): Promise<void> {
    const { options, events } = this.#params;
    const { storage: given } = options;
    const ownsStorage = isStorageLocation(given);
    const storage = await (ownsStorage ? openStorage(given, options) : given);
    if (this.#hasStopped()) {
      if (ownsStorage) await storage.close();
      throw createStoppedError();
    }
    const engine = new Engine({ ...this.#params, storage, ownsStorage, workerId: this.#createWorkerId() });
    this.#state = { phase: 'started', engine };
    engine.start();
    events.emit('ready', { workerId: engine.workerId });
  }

  async #stopEngine(engine: Engine | null, started: Promise<void> | null): Promise<void> {
    const { options, events } = this.#params;
    if (started !== null) {
      await settlesWithin(options.runtime, started, Math.max(options.shutdownGraceMs, MIN_START_BOUND_MS));
    }
    await engine?.stop();
    this.#state = { phase: 'stopped' };
    if (engine !== null) events.emit('stopped', { workerId: engine.workerId });
  }

  #hasStopped(): boolean {
    return this.#state.phase === 'stopping' || this.#state.phase === 'stopped';
  }

  #createWorkerId(): string {
    const random = new Uint8Array(4);
    this.#params.options.runtime.fillRandom(random);
    return `${hostname()}:${process.pid}:${Buffer.from(random).toString('hex')}`;
  }
}

function createStoppedError(): ReseolioError {
  return new ReseolioError('stopped', 'the client was stopped: make a new one');
}
