import { ReseolioError } from './errors.ts';
import type { SqlTransaction } from './sql-transaction.ts';

export const BACKOFFS = ['fixed', 'linear', 'exponential'] as const;
export type Backoff = (typeof BACKOFFS)[number];

/** How a job is retried and bounded. Stored with each job, so that a later change of defaults leaves it as it was. */
export interface JobOptions {
  /** How often the job is tried in all, 1 to 10 000. Default 3. */
  readonly maxAttempts: number;
  /** How the delay between attempts grows. Default `exponential`. */
  readonly backoff: Backoff;
  /** Delay before the first retry, milliseconds, 0 to 366 days. Default 1000. */
  readonly initialDelayMs: number;
  /** No delay is longer than this (before jitter), milliseconds, 0 to 366 days. Default 60 000. */
  readonly maxDelayMs: number;
  /** How long one attempt may run, milliseconds, 1 to 24 days. Default 30 000. */
  readonly timeoutMs: number;
  /** Share of the delay by which it is spread at random, 0 to 1. Default 0.1. */
  readonly jitter: number;
}

/** What one call can say beside the job options. */
export interface CallOptions extends Partial<JobOptions> {
  /** A second call with the same key and function name returns the first one's job. 1 to 255 bytes of UTF-8. */
  readonly idempotencyKey?: string;
  /** Earliest start, milliseconds from now, 0 to 10 years. Not together with `runAt`. */
  readonly delayMs?: number;
  /** Earliest start: a Date, or Unix milliseconds, up to the year 2200. A time in the past means now. */
  readonly runAt?: Date | number;
  /** -100 to 100, higher runs first among the jobs of one function. Default 0. */
  readonly priority?: number;
  /**
   * A client of `pg` (or what has its `query(text, values)`) in a transaction on the database of a postgres:// storage:
   * the job exists if and only if that commits. Await its result only after the commit.
   */
  readonly tx?: SqlTransaction;
}

/** {@link CallOptions}, checked and complete. */
export interface ResolvedCallOptions {
  readonly options: JobOptions;
  readonly idempotencyKey: string | null;
  readonly delayMs: number | null;
  readonly runAt: number | null;
  readonly priority: number;
  readonly tx: SqlTransaction | null;
}

const DAY_MS = 86_400_000;

export const DEFAULT_JOB_OPTIONS: JobOptions = {
  maxAttempts: 3,
  backoff: 'exponential',
  initialDelayMs: 1000,
  maxDelayMs: 60_000,
  timeoutMs: 30_000,
  jitter: 0.1,
};

/** Every bound on what a caller can pass, in one place. */
export const LIMITS = {
  nameBytes: 128,
  idempotencyKeyBytes: 255,
  payloadBytes: 1_048_576,
  maxAttempts: 10_000,
  backoffDelayMs: 366 * DAY_MS,
  /** A Node timer holds no more than 2^31-1 ms. */
  timeoutMs: 24 * DAY_MS,
  startDelayMs: 3660 * DAY_MS,
  /** 2200-01-01T00:00:00Z. */
  runAt: 7_258_118_400_000,
  priority: 100,
  /** Jobs in one storage call; `enqueueMany` refuses more. */
  batchJobs: 10_000,
  /** Payload bytes in one storage call. */
  batchBytes: 67_108_864,
  /** What one job may remember: steps, and bytes of them. */
  steps: 100_000,
  stepBytes: 67_108_864,
  /** Signals that one job may be sent. */
  signals: 10_000,
  /** Of a step, a signal or a change. */
  requestNameBytes: 128,
  listPage: 1000,
  listOffset: 1_000_000,
  concurrency: 10_000,
  cronChars: 256,
  /** Jobs that one schedule makes for what it missed. */
  catchUp: 1000,
  schedulePage: 10_000,
  scheduleOffset: 1_000_000,
  errorMessageChars: 4096,
  errorStackChars: 8192,
} as const;

/** When a suspended job is due that no time wakes. */
export const NEVER_DUE = LIMITS.runAt;

const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;

/** Throws `invalid_name` unless `name` can name a durable function. */
export function assertJobName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !JOB_NAME.test(name)) {
    throw new ReseolioError(
      'invalid_name',
      `${describeValue(name)} cannot name a function: use 1 to ${LIMITS.nameBytes} of A-Z a-z 0-9 . _ : / -, starting with a letter or digit`,
    );
  }
}

const NUMBER_RULES = {
  maxAttempts: { min: 1, max: LIMITS.maxAttempts, isInteger: true },
  initialDelayMs: { min: 0, max: LIMITS.backoffDelayMs, isInteger: false },
  maxDelayMs: { min: 0, max: LIMITS.backoffDelayMs, isInteger: false },
  timeoutMs: { min: 1, max: LIMITS.timeoutMs, isInteger: false },
  jitter: { min: 0, max: 1, isInteger: false },
} as const;

const JOB_OPTION_KEYS: ReadonlySet<string> = new Set(Object.keys(DEFAULT_JOB_OPTIONS));
export const CALL_OPTION_KEYS: ReadonlySet<string> = new Set([
  ...JOB_OPTION_KEYS,
  'idempotencyKey',
  'delayMs',
  'runAt',
  'priority',
  'tx',
]);

/** Lays `given` over `base`; throws `invalid_option` for unknown keys and for values out of range. */
export function resolveJobOptions(given: Partial<JobOptions>, base: JobOptions = DEFAULT_JOB_OPTIONS): JobOptions {
  assertKnownKeys(given, JOB_OPTION_KEYS);
  return mergeJobOptions(given, base);
}

/** As {@link resolveJobOptions}, for all that one call can say. */
export function resolveCallOptions(given: CallOptions, base: JobOptions): ResolvedCallOptions {
  assertKnownKeys(given, CALL_OPTION_KEYS);
  const { idempotencyKey, delayMs, priority, tx } = given;
  const runAt = given.runAt instanceof Date ? given.runAt.getTime() : given.runAt;
  // A key that is there but undefined is a mistake of the caller, and would make a second job without a word.
  if ('idempotencyKey' in given) assertIdempotencyKey(idempotencyKey);
  // Nor must a job be stored outside of a transaction that was meant.
  if ('tx' in given) assertTransaction(tx);
  if (delayMs !== undefined) assertNumber('delayMs', delayMs, 0, LIMITS.startDelayMs);
  if (runAt !== undefined) assertNumber('runAt', runAt, 0, LIMITS.runAt);
  if (delayMs !== undefined && runAt !== undefined) {
    throw new ReseolioError('invalid_option', 'delayMs and runAt were both given: pass one of them');
  }
  if (priority !== undefined) assertNumber('priority', priority, -LIMITS.priority, LIMITS.priority, true);
  return {
    options: mergeJobOptions(given, base),
    idempotencyKey: idempotencyKey ?? null,
    delayMs: delayMs ?? null,
    // -0 is a number from 0 on, but sorts elsewhere in bytes.
    runAt: runAt === undefined ? null : runAt + 0,
    priority: priority ?? 0,
    tx: tx ?? null,
  };
}

function mergeJobOptions(given: Partial<JobOptions>, base: JobOptions): JobOptions {
  if (given.backoff !== undefined && !BACKOFFS.includes(given.backoff)) {
    throw new ReseolioError('invalid_option', `backoff is ${describeValue(given.backoff)}: use ${BACKOFFS.join(', ')}`);
  }
  for (const key of Object.keys(NUMBER_RULES) as (keyof typeof NUMBER_RULES)[]) {
    const value = given[key];
    if (value === undefined) continue;
    const rule = NUMBER_RULES[key];
    assertNumber(key, value, rule.min, rule.max, rule.isInteger);
  }
  return {
    maxAttempts: given.maxAttempts ?? base.maxAttempts,
    backoff: given.backoff ?? base.backoff,
    initialDelayMs: given.initialDelayMs ?? base.initialDelayMs,
    maxDelayMs: given.maxDelayMs ?? base.maxDelayMs,
    timeoutMs: given.timeoutMs ?? base.timeoutMs,
    jitter: given.jitter ?? base.jitter,
  };
}

/** Throws `invalid_idempotency_key` unless `key` can be one. */
export function assertIdempotencyKey(key: unknown): void {
  if (!isText(key, LIMITS.idempotencyKeyBytes)) {
    throw new ReseolioError(
      'invalid_idempotency_key',
      `idempotencyKey is ${describeValue(key)}: use 1 to ${LIMITS.idempotencyKeyBytes} bytes of well-formed text`,
    );
  }
}

/** Whether `value` is well-formed text of 1 to `maxBytes` bytes of UTF-8. */
export function isText(value: unknown, maxBytes: number): value is string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) return false;
  return Buffer.byteLength(value) <= maxBytes;
}

function assertTransaction(tx: unknown): void {
  if (typeof tx === 'object' && tx !== null && 'query' in tx && typeof tx.query === 'function') return;
  throw new ReseolioError('invalid_option', `tx is ${describeValue(tx)}: pass a client that has query(text, values)`);
}

/** Throws `invalid_option` unless `given` is an object with no keys but `known`. */
export function assertKnownKeys(given: object, known: ReadonlySet<string>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ReseolioError('invalid_option', `options must be an object, not ${describeValue(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (!known.has(key)) {
      throw new ReseolioError('invalid_option', `unknown option ${describeValue(key)}: use ${[...known].join(', ')}`);
    }
  }
}

/** Throws `invalid_option` unless `value` is a finite number from `min` to `max` (an integer, where asked). */
export function assertNumber(
  name: string,
  value: unknown,
  min: number,
  max: number,
  isInteger = false,
): asserts value is number {
  const isNumber = typeof value === 'number' && value >= min && value <= max;
  if (!isNumber || (isInteger && !Number.isInteger(value))) {
    const kind = isInteger ? 'a whole number' : 'a number';
    throw new ReseolioError('invalid_option', `${name} is ${describeValue(value)}: use ${kind} from ${min} to ${max}`);
  }
}

/** A short, safe way to show a caller the value that was refused. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 60
      ? `${JSON.stringify(value.slice(0, 60))}… (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
