import type { FinishedJob, FinishedState, StoredError } from './job.ts';
import { FINISHED_STATES } from './job.ts';
import { PAYLOAD_ENCODINGS, type Payload, packRecord, unpackRecord } from './payload.ts';

/** What a handler can ask for that its job remembers. */
export const OPERATIONS = ['call', 'result', 'step', 'sleep', 'signal', 'version'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Which request of a handler a step belongs to: they are counted in the order in which the handler makes them, from 0. */
export interface StepPlace {
  readonly position: number;
  readonly operation: Operation;
  /** Of the function, step, signal or change; of the job whose result is awaited, its id; empty for a sleep. */
  readonly name: string;
}

/** A request that ends with time, unless something else ends it first; or a step that is about to run. */
export interface BegunStep extends StepPlace {
  readonly phase: 'begun';
  /** Unix milliseconds on the storage's clock; of no meaning for a step. */
  readonly wakeAt: number;
}

/** How a request ended. */
export interface EndedStep extends StepPlace {
  readonly phase: 'ended';
  /** Handlers are told in this order, which need not be that in which steps are stored. */
  readonly order: number;
  /** How many requests the handler had made when it was told. */
  readonly asked: number;
  readonly outcome: StepOutcome;
}

/** An attempt began that tries again what had failed: failures that nothing had come of by then are forgotten. */
export interface ForgottenFailures {
  readonly phase: 'forgotten';
}

export type StepRecord = BegunStep | EndedStep | ForgottenFailures;

export type StepOutcome =
  /** A child was called. `id` is the one it was given, unlike the id of the job that had its idempotency key. */
  | { readonly kind: 'called'; readonly id: string; readonly isKeyed: boolean }
  /** An awaited job has finished, or is not there. */
  | { readonly kind: 'finished'; readonly job: FinishedJob | null }
  /** A step's function returned. */
  | { readonly kind: 'returned'; readonly result: Payload | null }
  /** A step's function failed for good. */
  | { readonly kind: 'failed'; readonly error: StoredError; readonly attempts: number; readonly isRetryable: boolean }
  /** A signal came: the one at `index` among those of the job. */
  | { readonly kind: 'signalled'; readonly index: number; readonly payload: Payload | null }
  /** The time is there. */
  | { readonly kind: 'elapsed' }
  | { readonly kind: 'versioned'; readonly version: number };

const FORGOTTEN = -1;
const BEGUN = 0;
const KINDS = ['called', 'finished', 'returned', 'failed', 'signalled', 'elapsed', 'versioned'] as const;

type PackedStep = readonly [
  position: number,
  operation: number,
  name: string,
  phase: number,
  wakeAtOrAsked: number,
  order: number,
  ...outcome: unknown[],
];
type PackedPayload = readonly [encoding: number, bytes: Uint8Array] | null;
type PackedError = readonly [name: string, message: string, stack: string | null];

/**
 * A step as it is stored: its place; then 0 and when it wakes, or the kind of its outcome from 1 on, how much was asked
 * before, its order, and what belongs to the kind. {@link ForgottenFailures} have -1 and no place.
 */
export function packStep(step: StepRecord): Uint8Array {
  if (step.phase === 'forgotten') return packRecord([-1, 0, '', FORGOTTEN]);
  const place = [step.position, OPERATIONS.indexOf(step.operation), step.name];
  if (step.phase === 'begun') return packRecord([...place, BEGUN, step.wakeAt]);
  const { outcome } = step;
  return packRecord([...place, 1 + KINDS.indexOf(outcome.kind), step.asked, step.order, ...packOutcome(outcome)]);
}

/** The counterpart of {@link packStep}. */
export function unpackStep(body: Uint8Array): StepRecord {
  const [position, operation, name, phase, number, order, ...packed] = unpackRecord(body) as PackedStep;
  if (phase === FORGOTTEN) return { phase: 'forgotten' };
  const place = { position, operation: OPERATIONS[operation] as Operation, name };
  if (phase === BEGUN) return { ...place, phase: 'begun', wakeAt: number };
  const outcome = unpackOutcome(KINDS[phase - 1] as StepOutcome['kind'], packed);
  return { ...place, phase: 'ended', order, asked: number, outcome };
}

function packOutcome(outcome: StepOutcome): readonly unknown[] {
  switch (outcome.kind) {
    case 'called':
      return [outcome.id, outcome.isKeyed];
    case 'finished':
      return [outcome.job === null ? null : packJob(outcome.job)];
    case 'returned':
      return [packPayload(outcome.result)];
    case 'failed':
      return [packError(outcome.error), outcome.attempts, outcome.isRetryable];
    case 'signalled':
      return [outcome.index, packPayload(outcome.payload)];
    case 'elapsed':
      return [];
    case 'versioned':
      return [outcome.version];
  }
}

function unpackOutcome(kind: StepOutcome['kind'], packed: readonly unknown[]): StepOutcome {
  const [first, second, third] = packed;
  switch (kind) {
    case 'called':
      return { kind, id: first as string, isKeyed: second as boolean };
    case 'finished':
      return { kind, job: first === null ? null : unpackJob(first as Parameters<typeof unpackJob>[0]) };
    case 'returned':
      return { kind, result: unpackPayload(first as PackedPayload) };
    case 'failed':
      return {
        kind,
        error: unpackError(first as PackedError),
        attempts: second as number,
        isRetryable: third as boolean,
      };
    case 'signalled':
      return { kind, index: first as number, payload: unpackPayload(second as PackedPayload) };
    case 'elapsed':
      return { kind };
    case 'versioned':
      return { kind, version: first as number };
  }
}

function packJob({ state, attempt, result, error }: FinishedJob): readonly unknown[] {
  return [
    FINISHED_STATES.indexOf(state as FinishedState),
    attempt,
    packPayload(result),
    error === null ? null : packError(error),
  ];
}

function unpackJob(packed: readonly [number, number, PackedPayload, PackedError | null]): FinishedJob {
  const [state, attempt, result, error] = packed;
  return {
    state: FINISHED_STATES[state] as FinishedState,
    attempt,
    result: unpackPayload(result),
    error: error === null ? null : unpackError(error),
  };
}

function packPayload(payload: Payload | null): PackedPayload {
  return payload === null ? null : [PAYLOAD_ENCODINGS.indexOf(payload.encoding), payload.bytes];
}

function unpackPayload(packed: PackedPayload): Payload | null {
  return packed === null ? null : { encoding: PAYLOAD_ENCODINGS[packed[0]] as Payload['encoding'], bytes: packed[1] };
}

function packError({ name, message, stack }: StoredError): PackedError {
  return [name, message, stack];
}

function unpackError([name, message, stack]: PackedError): StoredError {
  return { name, message, stack };
}
