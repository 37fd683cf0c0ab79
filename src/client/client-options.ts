import { isStorageLocation, type MigrateMode, type StorageLocation } from '../backends/open-storage.ts';
import { ReseolioError } from '../core/errors.ts';
import { FINISHED_STATES } from '../core/job.ts';
import { assertNumber, describeValue, LIMITS } from '../core/options.ts';
import { createSystemRuntime, type Runtime } from '../core/runtime.ts';
import type { Durability, Storage } from '../core/storage.ts';
import type { Retention } from '../maintenance/pruner.ts';

export interface ReseolioOptions {
  /**
   * Where jobs are kept: a URL such as `lmdb://./directory` or `postgres://user@host/database`; a `pg.Pool` of the
   * caller's own, or `{ pool, schema, listen, listenUrl }`; or a {@link Storage}. What the caller opened it closes itself.
   * Default `lmdb://./reseolio`.
   */
  readonly storage?: StorageLocation | Storage;
  /** How many handlers run at once, 0 to 10 000. 0: this process only enqueues. Default 10. */
  readonly workerConcurrency?: number;
  /**
   * `strict`: what is acknowledged survives a power cut. `relaxed`: it survives a crash of the process. Applies to a
   * storage given by URL. Default `strict`.
   */
  readonly durability?: Durability;
  /**
   * `auto`: `start()` makes and migrates the schema of a PostgreSQL storage. `manual`: it rejects unless
   * {@link migrateStorage} was called. Default `auto`.
   */
  readonly migrate?: MigrateMode;
  /**
   * A job whose worker died is run again after this, milliseconds, 100 to 3 600 000. Handlers may run longer, but must
   * not block the event loop for as long. Default 15 000.
   */
  readonly leaseMs?: number;
  /**
   * A handler that waits for a child, a signal or the end of a sleep stays in memory for this, milliseconds, 0 to 24 days;
   * then it is suspended, and run again when what it waits for is there. Default 5000.
   */
  readonly suspendAfterMs?: number;
  /** How long `stop()` waits for running handlers, milliseconds, 0 to 24 days. Default 10 000. */
  readonly shutdownGraceMs?: number;
  /** How long finished jobs are kept. Defaults: 7 days, dead ones for ever, cancelled ones 7 days. */
  readonly retention?: RetentionOptions;
  /** The largest packed arguments or result, bytes, 1 to 64 MiB. Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** Clock, randomness and timers, for tests. Default: those of the process. */
  readonly runtime?: Runtime;
}

/** Milliseconds, 0 to 10 years, or null for ever. */
export type RetentionOptions = Partial<Retention>;

/** {@link ReseolioOptions}, checked and complete. */
export type ClientOptions = Readonly<Required<Omit<ReseolioOptions, 'retention'>>> & { readonly retention: Retention };

const DAY_MS = 86_400_000;

const DEFAULT_RETENTION: Retention = { success: 7 * DAY_MS, dead: null, cancelled: 7 * DAY_MS };

const OPTION_KEYS: ReadonlySet<string> = new Set([
  'storage',
  'workerConcurrency',
  'durability',
  'migrate',
  'leaseMs',
  'suspendAfterMs',
  'shutdownGraceMs',
  'retention',
  'maxPayloadBytes',
  'runtime',
] satisfies (keyof ReseolioOptions)[]);

const STORAGE_METHODS = Object.keys({
  enqueue: true,
  enqueueInTransaction: true,
  claim: true,
  extendLeases: true,
  settle: true,
  recordSteps: true,
  getSteps: true,
  signal: true,
  getSignals: true,
  reclaimExpired: true,
  cancel: true,
  retry: true,
  getJobs: true,
  getAttempts: true,
  listJobs: true,
  counts: true,
  prune: true,
  createSchedule: true,
  getSchedule: true,
  listSchedules: true,
  updateSchedule: true,
  listDueSchedules: true,
  fireSchedules: true,
  watch: true,
  close: true,
} satisfies Record<keyof Storage, true>);

const RUNTIME_METHODS = Object.keys({
  now: true,
  monotonicNow: true,
  random: true,
  fillRandom: true,
  setTimer: true,
  setImmediate: true,
  afterPromises: true,
} satisfies Record<keyof Runtime, true>);

/** Throws `invalid_option` for unknown keys and for values that are out of range. */
export function resolveClientOptions(given: ReseolioOptions): ClientOptions {
  assertKeys('options', given, OPTION_KEYS);
  const {
    storage = 'lmdb://./reseolio',
    workerConcurrency = 10,
    durability = 'strict',
    migrate = 'auto',
    leaseMs = 15_000,
    suspendAfterMs = 5000,
    shutdownGraceMs = 10_000,
    retention = {},
    maxPayloadBytes = LIMITS.payloadBytes,
    runtime = createSystemRuntime(),
  } = given;
  if (!isStorageLocation(storage)) assertMethods('storage', storage, STORAGE_METHODS);
  assertNumber('workerConcurrency', workerConcurrency, 0, LIMITS.concurrency, true);
  assertOneOf('durability', durability, ['strict', 'relaxed']);
  assertOneOf('migrate', migrate, ['auto', 'manual']);
  assertNumber('leaseMs', leaseMs, 100, 3_600_000);
  assertNumber('suspendAfterMs', suspendAfterMs, 0, LIMITS.timeoutMs);
  assertNumber('shutdownGraceMs', shutdownGraceMs, 0, LIMITS.timeoutMs);
  assertNumber('maxPayloadBytes', maxPayloadBytes, 1, LIMITS.batchBytes, true);
  assertMethods('runtime', runtime, RUNTIME_METHODS);
  return {
    storage,
    workerConcurrency,
    durability,
    migrate,
    leaseMs,
    suspendAfterMs,
    shutdownGraceMs,
    retention: resolveRetention(retention),
    maxPayloadBytes,
    runtime,
  };
}

function resolveRetention(given: RetentionOptions): Retention {
  assertKeys('retention', given, new Set(FINISHED_STATES));
  for (const state of FINISHED_STATES) {
    const keptMs = given[state];
    if (keptMs !== undefined && keptMs !== null) assertNumber(`retention.${state}`, keptMs, 0, LIMITS.startDelayMs);
  }
  const { success, dead, cancelled } = given;
  return {
    success: success === undefined ? DEFAULT_RETENTION.success : success,
    dead: dead === undefined ? DEFAULT_RETENTION.dead : dead,
    cancelled: cancelled === undefined ? DEFAULT_RETENTION.cancelled : cancelled,
  };
}

/** Throws `invalid_option` unless `given` is an object with no keys but `known`. */
export function assertKeys(what: string, given: unknown, known: ReadonlySet<string>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`${what} is ${describeValue(given)}: pass an object`);
  }
  for (const key of Object.keys(given)) {
    if (!known.has(key)) throw invalid(`${what}: ${describeValue(key)} is unknown; use ${[...known].join(', ')}`);
  }
}

/** Throws `invalid_option` unless `given` is one of `allowed`. */
export function assertOneOf(what: string, given: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(given)) throw invalid(`${what} is ${describeValue(given)}: use ${allowed.join(', ')}`);
}

function assertMethods(what: string, given: unknown, methods: readonly string[]): void {
  const isComplete =
    typeof given === 'object' &&
    given !== null &&
    methods.every((method) => typeof Reflect.get(given, method) === 'function');
  if (!isComplete) throw invalid(`${what} is ${describeValue(given)}, which lacks methods: ${methods.join(', ')}`);
}

function invalid(message: string): ReseolioError {
  return new ReseolioError('invalid_option', message);
}
