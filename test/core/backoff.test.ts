import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelayMs } from '../../src/core/backoff.ts';
import { BACKOFFS, LIMITS } from '../../src/core/options.ts';

const base = { backoff: 'exponential', initialDelayMs: 1000, maxDelayMs: 60_000, jitter: 0 } as const;

function delays(options: Parameters<typeof retryDelayMs>[0], count: number): number[] {
  return Array.from({ length: count }, (_, i) => retryDelayMs(options, i + 1, 0.5));
}

describe('retryDelayMs', () => {
  it('stays the same when fixed', () => {
    expect(delays({ ...base, backoff: 'fixed' }, 4)).toEqual([1000, 1000, 1000, 1000]);
  });

  it('grows by the initial delay when linear, up to the cap', () => {
    expect(delays({ ...base, backoff: 'linear', maxDelayMs: 3500 }, 5)).toEqual([1000, 2000, 3000, 3500, 3500]);
  });

  it('doubles when exponential, up to the cap', () => {
    expect(delays(base, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('is not rounded', () => {
    expect(delays({ ...base, initialDelayMs: 0.3 }, 3)).toEqual([0.3, 0.6, 1.2]);
    expect(retryDelayMs({ ...base, jitter: 0.1 }, 1, 0.123)).toBeCloseTo(1000 * (1 + 0.1 * (2 * 0.123 - 1)), 9);
  });

  it('caps an initial delay above the cap', () => {
    for (const backoff of BACKOFFS) expect(retryDelayMs({ ...base, backoff, maxDelayMs: 10 }, 1, 0.5)).toBe(10);
  });

  it('is spread evenly to both sides after the cap', () => {
    const jittery = { ...base, jitter: 0.25 };
    expect(retryDelayMs(jittery, 1, 0)).toBe(750);
    expect(retryDelayMs(jittery, 1, 0.5)).toBe(1000);
    expect(retryDelayMs(jittery, 1, 1 - Number.EPSILON)).toBeCloseTo(1250, 6);
    expect(retryDelayMs(jittery, 100, 1 - Number.EPSILON)).toBeCloseTo(75_000, 6);
  });

  it('does not overflow at the largest of everything', () => {
    const largest = { ...base, initialDelayMs: LIMITS.backoffDelayMs, maxDelayMs: LIMITS.backoffDelayMs, jitter: 1 };
    for (const backoff of BACKOFFS) {
      expect(retryDelayMs({ ...largest, backoff }, LIMITS.maxAttempts, 0.5)).toBe(LIMITS.backoffDelayMs);
    }
    expect(retryDelayMs({ ...base, initialDelayMs: 0 }, LIMITS.maxAttempts, 0.5)).toBe(0);
  });

  it('reaches the cap from the smallest initial delay', () => {
    const tiny = { ...base, initialDelayMs: 0.001, maxDelayMs: LIMITS.backoffDelayMs };
    expect(retryDelayMs(tiny, LIMITS.maxAttempts, 0.5)).toBe(LIMITS.backoffDelayMs);
  });

  it('stays within its bounds for every option and never shrinks with attempts', () => {
    const options = fc.record({
      backoff: fc.constantFrom(...BACKOFFS),
      initialDelayMs: fc.double({ min: 0, max: LIMITS.backoffDelayMs, noNaN: true }),
      maxDelayMs: fc.double({ min: 0, max: LIMITS.backoffDelayMs, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const attempts = fc.integer({ min: 1, max: LIMITS.maxAttempts });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(options, attempts, random, (given, failedAttempts, drawn) => {
        const delayMs = retryDelayMs(given, failedAttempts, drawn);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(given.maxDelayMs * (1 + given.jitter));
        expect(retryDelayMs(given, failedAttempts + 1, drawn)).toBeGreaterThanOrEqual(delayMs);
      }),
    );
  });
});
