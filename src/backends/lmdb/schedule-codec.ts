import type { Backoff, JobOptions } from '../../core/options.ts';
import { type PayloadEncoding, packRecord, unpackRecord } from '../../core/payload.ts';
import type { CatchUp, Overlap, ScheduleState, ScheduleSummary } from '../../core/schedule-record.ts';

/** A schedule as its record holds it. */
export interface StoredSchedule {
  readonly summary: ScheduleSummary;
  readonly argsEncoding: PayloadEncoding;
  /** null: they are large and lie under a key of their own, so that firings do not copy them along. */
  readonly args: Buffer | null;
}

export function encodeSchedule({ summary, argsEncoding, args }: StoredSchedule): Buffer {
  const { options } = summary;
  return packRecord([
    summary.id,
    summary.name,
    summary.jobName,
    summary.cron,
    summary.timezone,
    [
      options.maxAttempts,
      options.backoff,
      options.initialDelayMs,
      options.maxDelayMs,
      options.timeoutMs,
      options.jitter,
    ],
    summary.priority,
    summary.catchUp,
    summary.catchUpLimit,
    summary.overlap,
    summary.state,
    summary.nextRunAt,
    summary.lastRunAt,
    summary.lastJobId,
    summary.revision,
    summary.createdAt,
    summary.updatedAt,
    argsEncoding,
    args,
  ]);
}

export function decodeSchedule(bytes: Buffer): StoredSchedule {
  const fields = unpackRecord(bytes);
  return {
    summary: {
      id: fields[0] as string,
      name: fields[1] as string,
      jobName: fields[2] as string,
      cron: fields[3] as string,
      timezone: fields[4] as string,
      options: decodeOptions(fields[5] as readonly unknown[]),
      priority: fields[6] as number,
      catchUp: fields[7] as CatchUp,
      catchUpLimit: fields[8] as number,
      overlap: fields[9] as Overlap,
      state: fields[10] as ScheduleState,
      nextRunAt: fields[11] as number | null,
      lastRunAt: fields[12] as number | null,
      lastJobId: fields[13] as string | null,
      revision: fields[14] as number,
      createdAt: fields[15] as number,
      updatedAt: fields[16] as number,
    },
    argsEncoding: fields[17] as PayloadEncoding,
    args: fields[18] as Buffer | null,
  };
}

function decodeOptions([
  maxAttempts,
  backoff,
  initialDelayMs,
  maxDelayMs,
  timeoutMs,
  jitter,
]: readonly unknown[]): JobOptions {
  return {
    maxAttempts: maxAttempts as number,
    backoff: backoff as Backoff,
    initialDelayMs: initialDelayMs as number,
    maxDelayMs: maxDelayMs as number,
    timeoutMs: timeoutMs as number,
    jitter: jitter as number,
  };
}
