import { ReseolioError } from '../core/errors.ts';
import { type CallOptions, type JobOptions, type ResolvedCallOptions, resolveCallOptions } from '../core/options.ts';
import { quietInHandler } from '../workflow/current-job.ts';
import type { Enqueuer } from './enqueuer.ts';
import type { JobHandle } from './job-handle.ts';
import type { ScheduleAccess } from './schedule-access.ts';
import { createScheduling, type Scheduling } from './scheduling.ts';
import { findTrailingOptions } from './trailing-options.ts';

/** Options of a batch: an idempotency key can stand for one call only. */
export type BatchOptions = Omit<CallOptions, 'idempotencyKey'>;

/**
 * The argument lists of `Args` with call options behind them. Parameters that may be left out may be left out before
 * options as well.
 */
export type ArgsWithOptions<Args extends readonly unknown[], Given extends readonly unknown[] = []> = Args extends []
  ? [...Given, CallOptions]
  : Args extends [infer First, ...infer Rest]
    ? ArgsWithOptions<Rest, [...Given, First]>
    : HasOptionalFirst<Args> extends true
      ? Args extends [(infer First)?, ...infer Rest]
        ? [...Given, CallOptions] | ArgsWithOptions<Rest, [...Given, First | undefined]>
        : never
      : [...Given, ...Args, CallOptions];

/** False for a mere rest, of which one parameter after the other could be taken for ever. */
type HasOptionalFirst<Args extends readonly unknown[]> = [] extends Args
  ? Required<Args> extends [unknown, ...unknown[]]
    ? true
    : false
  : false;

/** A function whose calls are jobs. Everything of a call is checked before anything is stored. */
export interface DurableFunction<Args extends unknown[], Result> extends Scheduling<Args> {
  /**
   * Enqueues a job; resolves once it is durable.
   *
   * A trailing plain object that consists of nothing but call options, and holds at least one, is taken as options:
   * `charge(amount, { idempotencyKey: 'order-1' })`. An object with any other key is an argument. Where an argument
   * could be mistaken for options, use {@link callWithOptions}.
   *
   * @throws ReseolioError `payload_unserializable`, `payload_too_large`, `invalid_option`, `invalid_idempotency_key`,
   *   `not_started`, `stopped`, or what the storage answers, such as `storage_full`.
   */
  (...args: Args): Promise<JobHandle<Result>>;
  (...argsAndOptions: ArgsWithOptions<Args>): Promise<JobHandle<Result>>;

  /** As a call, with arguments and options told apart. */
  callWithOptions(args: Readonly<Args>, options: CallOptions): Promise<JobHandle<Result>>;

  /**
   * Enqueues one job for each argument list, all in one durable write: all of them are stored, or none. Up to 10 000
   * jobs and 64 MiB. Handles come in the order of the calls.
   *
   * @throws As a call does; ReseolioError `invalid_argument` for too many calls.
   */
  enqueueMany(calls: readonly Readonly<Args>[], options?: BatchOptions): Promise<JobHandle<Result>[]>;

  /** The name it was registered under. */
  readonly jobName: string;
  /** The options that its calls have unless they say otherwise. */
  readonly options: JobOptions;
}

export interface DurableFunctionParams {
  readonly name: string;
  readonly options: JobOptions;
  readonly enqueuer: Enqueuer;
  readonly schedules: ScheduleAccess;
}

export function createDurableFunction<Args extends unknown[], Result>({
  name,
  options,
  enqueuer,
  schedules,
}: DurableFunctionParams): DurableFunction<Args, Result> {
  const defaults = resolveCallOptions({}, options);

  async function call(...given: unknown[]): Promise<JobHandle<Result>> {
    const trailing = findTrailingOptions(given);
    if (trailing === null) return enqueuer.enqueue(name, given, defaults);
    return enqueuer.enqueue(name, given.slice(0, -1), resolveCallOptions(trailing, options));
  }

  async function callWithOptions(args: readonly unknown[], given: CallOptions): Promise<JobHandle<Result>> {
    return enqueuer.enqueue(name, args, resolveCallOptions(given, options));
  }

  async function enqueueMany(
    calls: readonly (readonly unknown[])[],
    given: BatchOptions = {},
  ): Promise<JobHandle<Result>[]> {
    return enqueuer.enqueueMany(name, calls, resolveBatchOptions(given, options));
  }

  const scheduling = createScheduling<Args>({ name, options, schedules });
  return Object.assign(quietly(call), {
    callWithOptions: quietly(callWithOptions),
    enqueueMany: quietly(enqueueMany),
    ...scheduling,
    jobName: name,
    options,
  });
}

/** As {@link quietInHandler}. */
function quietly<Given extends unknown[], Result>(
  call: (...given: Given) => Promise<Result>,
): (...given: Given) => Promise<Result> {
  return (...given) => quietInHandler(call(...given));
}

function resolveBatchOptions(given: BatchOptions, base: JobOptions): ResolvedCallOptions {
  const resolved = resolveCallOptions(given, base);
  if (resolved.idempotencyKey === null) return resolved;
  throw new ReseolioError('invalid_option', 'enqueueMany takes no idempotencyKey: one key stands for one call');
}
