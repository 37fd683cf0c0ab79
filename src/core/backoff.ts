import type { JobOptions } from './options.ts';

type BackoffOptions = Pick<JobOptions, 'backoff' | 'initialDelayMs' | 'maxDelayMs' | 'jitter'>;

/** How long to wait before a call that the storage rejected is repeated: 100 ms, doubling up to 5 s, ±20 %. */
export const STORAGE_BACKOFF: BackoffOptions = {
  backoff: 'exponential',
  initialDelayMs: 100,
  maxDelayMs: 5000,
  jitter: 0.2,
};

/** Doubling more often than this exceeds every allowed `maxDelayMs`, and 2 ** 1024 would be Infinity. */
const MAX_DOUBLINGS = 52;

/**
 * Milliseconds to wait before the next attempt, after `failedAttempts` (at least 1) have failed.
 *
 * fixed = initial, linear = initial * n, exponential = initial * 2^(n-1); capped at `maxDelayMs`; then spread
 * evenly over ±`jitter`. `random` is in [0, 1). Not rounded.
 */
export function retryDelayMs(options: BackoffOptions, failedAttempts: number, random: number): number {
  const cappedMs = Math.min(baseDelayMs(options, failedAttempts), options.maxDelayMs);
  return cappedMs * (1 + options.jitter * (2 * random - 1));
}

function baseDelayMs({ backoff, initialDelayMs }: BackoffOptions, failedAttempts: number): number {
  switch (backoff) {
    case 'fixed':
      return initialDelayMs;
    case 'linear':
      return initialDelayMs * failedAttempts;
    case 'exponential':
      return initialDelayMs * 2 ** Math.min(failedAttempts - 1, MAX_DOUBLINGS);
  }
}
