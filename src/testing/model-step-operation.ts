import type { Digits } from './digits.ts';
import { type DraftSpec, drawDraft, drawLease, type LeaseSpec } from './model-draft.ts';

/** A step of a random run that is about what jobs remember and are told. */
export type StepOperation =
  | { readonly kind: 'recordSteps'; readonly recordings: readonly RecordingSpec[] }
  | { readonly kind: 'awaitEachOther'; readonly links: readonly LinkSpec[]; readonly isOpen: boolean }
  | { readonly kind: 'signal'; readonly signals: readonly SignalSpec[] }
  | { readonly kind: 'signalAgain'; readonly signals: readonly number[] };

export interface RecordingSpec extends LeaseSpec {
  /** After the steps that are there, at the last of them once more, or where they do not follow. */
  readonly place: 'next' | 'again' | 'beyond';
  readonly steps: readonly StepSpec[];
}

export interface StepSpec {
  readonly bodyChars: number;
  readonly child: DraftSpec | null;
}

export interface SignalSpec {
  readonly job: number;
  readonly name: string;
  /** How long its payload is; null: it has none. */
  readonly payloadChars: number | null;
}

/** One of several running jobs that wait for the next of them, and the last, unless it runs on, for the first. */
export type LinkSpec = Pick<SuspensionSpec, 'wakeOffsetMs' | 'signalsOffset'>;

/** What a suspended attempt waits for. */
export interface SuspensionSpec {
  /** Jobs that were claimed and have not finished; else any. */
  readonly isOfClaimed: boolean;
  readonly awaits: readonly number[];
  /** Against the clock of the moment. */
  readonly wakeOffsetMs: number | null;
  /** Against the signals that the job has. */
  readonly signalsOffset: number | null;
}

const NO_EXIT: LinkSpec = { wakeOffsetMs: null, signalsOffset: null };
const LINKS = [NO_EXIT, NO_EXIT, NO_EXIT, { ...NO_EXIT, wakeOffsetMs: 100 }, { ...NO_EXIT, signalsOffset: 0 }] as const;

export function decodeStepOperation(kind: StepOperation['kind'], digits: Digits): StepOperation {
  switch (kind) {
    case 'recordSteps':
      return { kind, recordings: digits.list(digits.pick([1, 2, 1]), () => drawRecording(digits)) };
    case 'awaitEachOther':
      return {
        kind,
        isOpen: digits.take(3) === 2,
        links: digits.list(digits.pick([2, 3, 4]), () => digits.pick(LINKS)),
      };
    case 'signal':
      return { kind, signals: digits.list(1 + digits.take(3), () => drawSignal(digits)) };
    case 'signalAgain':
      return { kind, signals: digits.list(1 + digits.take(2), () => digits.take(12)) };
  }
}

export function drawSuspension(digits: Digits): SuspensionSpec {
  return {
    wakeOffsetMs: digits.pick([null, 100, null, 3000, -50.5]),
    signalsOffset: digits.pick([null, 0, null, 1, -1]),
    isOfClaimed: digits.take(4) < 3,
    awaits: digits.list(digits.pick([1, 0, 2]), () => digits.take(8)),
  };
}

function drawRecording(digits: Digits): RecordingSpec {
  const place = digits.pick(['next', 'next', 'next', 'again', 'next', 'beyond'] as const);
  // Of a lease that was given lately, which is held more often than others.
  const lease = digits.take(4);
  return { ...drawLease(digits), lease, place, steps: digits.list(digits.pick([1, 2, 0]), () => drawStep(digits)) };
}

function drawStep(digits: Digits): StepSpec {
  const bodyChars = digits.pick([1, 0, 3000]);
  return { bodyChars, child: digits.take(2) === 1 ? drawDraft(digits) : null };
}

function drawSignal(digits: Digits): SignalSpec {
  return {
    job: digits.take(20),
    name: digits.pick(['go', 'stop', 'é']),
    payloadChars: digits.pick([null, 1, 3000]),
  };
}
