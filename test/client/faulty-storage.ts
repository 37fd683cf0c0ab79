import type {
  CreateScheduleParams,
  FireSchedulesParams,
  GetScheduleParams,
  ListDueSchedulesParams,
  ListSchedulesParams,
  UpdateScheduleParams,
} from '../../src/core/schedule-operations.ts';
import type {
  GetSignalsParams,
  GetStepsParams,
  RecordStepsParams,
  SignalParams,
} from '../../src/core/step-operations.ts';
import type {
  CancelParams,
  ClaimParams,
  EnqueueInTransactionParams,
  EnqueueParams,
  ExtendLeasesParams,
  JobIdsParams,
  ListJobsParams,
  PruneParams,
  ReclaimParams,
  SettleParams,
  Storage,
  StorageHint,
} from '../../src/core/storage.ts';

export type StorageMethod = Exclude<keyof Storage, 'watch'>;

/** What happens to calls of one method. */
interface Fault {
  /** Rejects with it; null: passes the call on. */
  readonly error: Error | null;
  /** The call waits for it first. */
  readonly held: Promise<void>;
  /** The call takes effect before it rejects, as when a connection is lost in commit. */
  readonly isAfterEffect: boolean;
}

/** A real storage behind a line that tests can cut. It counts calls, and hints go through only while it lets them. */
export class FaultyStorage implements Storage {
  readonly calls: { readonly method: StorageMethod; readonly params: unknown }[] = [];
  isHinting = true;
  isClosed = false;
  readonly #inner: Storage;
  readonly #faults = new Map<StorageMethod, Fault>();
  readonly #listeners = new Set<(hint: StorageHint) => void>();

  constructor(inner: Storage) {
    this.#inner = inner;
    inner.watch((hint) => {
      if (this.isHinting) this.hint(hint);
    });
  }

  /** Rejects calls of `method` until it is healed. */
  fail(method: StorageMethod, error: Error, isAfterEffect = false): void {
    this.#faults.set(method, { error, held: Promise.resolve(), isAfterEffect });
  }

  /** Holds up calls of `method` until `until` resolves. */
  hold(method: StorageMethod, until: Promise<void>): void {
    this.#faults.set(method, { error: null, held: until, isAfterEffect: false });
  }

  heal(method: StorageMethod): void {
    this.#faults.delete(method);
  }

  hint(hint: StorageHint): void {
    for (const listener of this.#listeners) listener(hint);
  }

  count(method: StorageMethod): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** The parameters of the calls of `method`, oldest first. */
  paramsOf<Method extends Exclude<StorageMethod, 'close' | 'counts'>>(
    method: Method,
  ): Parameters<Storage[Method]>[0][] {
    return this.calls
      .filter((call) => call.method === method)
      .map(({ params }) => params as Parameters<Storage[Method]>[0]);
  }

  enqueue = (params: EnqueueParams) => this.#call('enqueue', params, () => this.#inner.enqueue(params));
  enqueueInTransaction = (params: EnqueueInTransactionParams) =>
    this.#call('enqueueInTransaction', params, () => this.#inner.enqueueInTransaction(params));
  claim = (params: ClaimParams) => this.#call('claim', params, () => this.#inner.claim(params));
  extendLeases = (params: ExtendLeasesParams) =>
    this.#call('extendLeases', params, () => this.#inner.extendLeases(params));
  settle = (params: SettleParams) => this.#call('settle', params, () => this.#inner.settle(params));
  recordSteps = (params: RecordStepsParams) => this.#call('recordSteps', params, () => this.#inner.recordSteps(params));
  getSteps = (params: GetStepsParams) => this.#call('getSteps', params, () => this.#inner.getSteps(params));
  signal = (params: SignalParams) => this.#call('signal', params, () => this.#inner.signal(params));
  getSignals = (params: GetSignalsParams) => this.#call('getSignals', params, () => this.#inner.getSignals(params));
  reclaimExpired = (params: ReclaimParams) =>
    this.#call('reclaimExpired', params, () => this.#inner.reclaimExpired(params));
  cancel = (params: CancelParams) => this.#call('cancel', params, () => this.#inner.cancel(params));
  retry = (params: JobIdsParams) => this.#call('retry', params, () => this.#inner.retry(params));
  getJobs = (params: JobIdsParams) => this.#call('getJobs', params, () => this.#inner.getJobs(params));
  getAttempts = (params: { jobId: string }) => this.#call('getAttempts', params, () => this.#inner.getAttempts(params));
  listJobs = (params: ListJobsParams) => this.#call('listJobs', params, () => this.#inner.listJobs(params));
  counts = () => this.#call('counts', null, () => this.#inner.counts());
  prune = (params: PruneParams) => this.#call('prune', params, () => this.#inner.prune(params));
  createSchedule = (params: CreateScheduleParams) =>
    this.#call('createSchedule', params, () => this.#inner.createSchedule(params));
  getSchedule = (params: GetScheduleParams) => this.#call('getSchedule', params, () => this.#inner.getSchedule(params));
  listSchedules = (params: ListSchedulesParams) =>
    this.#call('listSchedules', params, () => this.#inner.listSchedules(params));
  updateSchedule = (params: UpdateScheduleParams) =>
    this.#call('updateSchedule', params, () => this.#inner.updateSchedule(params));
  listDueSchedules = (params: ListDueSchedulesParams) =>
    this.#call('listDueSchedules', params, () => this.#inner.listDueSchedules(params));
  fireSchedules = (params: FireSchedulesParams) =>
    this.#call('fireSchedules', params, () => this.#inner.fireSchedules(params));

  watch = (listener: (hint: StorageHint) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  get watchers(): number {
    return this.#listeners.size;
  }

  close = async (): Promise<void> => {
    this.isClosed = true;
    return this.#call('close', null, () => this.#inner.close());
  };

  async #call<Result>(method: StorageMethod, params: unknown, call: () => Promise<Result>): Promise<Result> {
    this.calls.push({ method, params });
    const fault = this.#faults.get(method);
    if (fault === undefined) return call();
    await fault.held;
    if (fault.error === null) return call();
    if (fault.isAfterEffect) await call();
    throw fault.error;
  }
}
