import type { Digits } from './digits.ts';
import { MODEL_NAMES } from './model-names.ts';

/** A job that a random run makes. */
export interface DraftSpec {
  readonly name: string;
  readonly key: string | null;
  readonly priority: number;
  readonly delayMs: number | null;
  /** Against the clock of the moment; null: no `runAt`. */
  readonly runAtOffsetMs: number | null;
  readonly maxAttempts: number;
}

/** A lease that the run was given, or one like it that nobody was. */
export interface LeaseSpec {
  readonly lease: number;
  readonly isForged: boolean;
}

const KEYS = [null, null, 'a', 'b', 'a:b', 'é'] as const;
export const DELAYS_MS = [0, 1, 40, 250.5, 3000] as const;

export function drawDraft(digits: Digits): DraftSpec {
  const due = digits.take(4);
  return {
    name: digits.pick(MODEL_NAMES),
    key: digits.pick(KEYS),
    priority: digits.pick([0, 1, -100, 100]),
    delayMs: due === 1 ? digits.pick(DELAYS_MS) : null,
    runAtOffsetMs: due === 2 ? digits.pick([-1000, 100, 0, -0.5]) : null,
    maxAttempts: digits.pick([3, 1, 2, 30]),
  };
}

export function drawLease(digits: Digits): LeaseSpec {
  return { lease: digits.take(12), isForged: digits.take(12) === 11 };
}
