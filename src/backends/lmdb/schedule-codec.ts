import type { JobOptions } from '../../core/options.ts';
import { type PayloadEncoding, packRecord, unpackRecord } from '../../core/payload.ts';
import type { ScheduleSummary } from '../../core/schedule-record.ts';

/** A schedule as its record holds it. */
export interface StoredSchedule {
  readonly summary: ScheduleSummary;
  readonly argsEncoding: PayloadEncoding;
  /** null: they are large and lie under a key of their own, so that firings do not copy them along. */
  readonly args: Buffer | null;
}

/** What a record holds, in this order. Part of the stored format: new ones come last. */
const COLUMNS = [
  'id',
  'name',
  'jobName',
  'cron',
  'timezone',
  'priority',
  'catchUp',
  'catchUpLimit',
  'overlap',
  'state',
  'nextRunAt',
  'lastRunAt',
  'lastJobId',
  'revision',
  'createdAt',
  'updatedAt',
] as const satisfies (keyof ScheduleSummary)[];
const OPTIONS = [
  'maxAttempts',
  'backoff',
  'initialDelayMs',
  'maxDelayMs',
  'timeoutMs',
  'jitter',
] as const satisfies (keyof JobOptions)[];

export function encodeSchedule({ summary, argsEncoding, args }: StoredSchedule): Buffer {
  const columns = COLUMNS.map((column) => summary[column]);
  const options = OPTIONS.map((option) => summary.options[option]);
  return packRecord([columns, options, argsEncoding, args]);
}

export function decodeSchedule(bytes: Buffer): StoredSchedule {
  const [columns, options, argsEncoding, args] = unpackRecord(bytes) as [
    unknown[],
    unknown[],
    PayloadEncoding,
    Buffer | null,
  ];
  const summary = { ...zip(COLUMNS, columns), options: zip(OPTIONS, options) };
  return { summary: summary as unknown as ScheduleSummary, argsEncoding, args };
}

function zip<Key extends string>(keys: readonly Key[], values: readonly unknown[]): Record<Key, unknown> {
  return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as Record<Key, unknown>;
}
