import type { Backoff, JobOptions } from '../../core/options.ts';

/**
 * What a job has whose options column is silent. Part of the stored format: it stays as it is when the defaults of the
 * library change.
 */
const UNSAID = {
  backoff: 'exponential',
  initialDelayMs: 1000,
  maxDelayMs: 60_000,
  timeoutMs: 30_000,
  jitter: 0.1,
} as const;

/** `maxAttempts` has a column of its own, which SQL reads; the rest is JSON. */
type StoredOptions = Omit<JobOptions, 'maxAttempts'>;

/** JSON of the options that have to be said, null if there are none. */
export function writeOptions(options: JobOptions): string | null {
  const said: Partial<Record<keyof StoredOptions, number | Backoff>> = {};
  let isSaid = false;
  for (const key of Object.keys(UNSAID) as (keyof StoredOptions)[]) {
    if (options[key] === UNSAID[key]) continue;
    said[key] = options[key];
    isSaid = true;
  }
  return isSaid ? JSON.stringify(said) : null;
}

export function readOptions(maxAttempts: string, text: string | null): JobOptions {
  const said = text === null ? {} : (JSON.parse(text) as Partial<StoredOptions>);
  return { maxAttempts: Number(maxAttempts), ...UNSAID, ...said };
}
