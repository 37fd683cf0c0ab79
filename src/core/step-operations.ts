import type { JobState, Lease } from './job.ts';
import type { NewJob } from './new-job.ts';
import type { Payload } from './payload.ts';

/** What the methods of a {@link Storage} take and answer by which a running job remembers, and is told, things. */
export interface RecordStepsParams {
  readonly recordings: readonly StepRecording[];
}

/** What one attempt adds to the steps of its job: all of it, or nothing. */
export interface StepRecording {
  readonly lease: Lease;
  /**
   * How many steps the job had before these. Where the steps are there already, this is the repeat of a call whose outcome
   * was unknown: it is answered as before.
   */
  readonly from: number;
  readonly steps: readonly NewStep[];
}

/** A step as the worker packed it. Storage never looks inside. */
export interface NewStep {
  readonly body: Uint8Array;
  /** A job that is made together with the step, as a child of the one that records it. Null: the step makes none. */
  readonly child: NewJob | null;
}

export interface StoredStep {
  readonly body: Uint8Array;
  /** The job that stands for the child: that one, or the one that already had its idempotency key. Null for no child. */
  readonly jobId: string | null;
}

export type RecordStepsResult =
  /** By position, what {@link StoredStep.jobId} is. */
  { readonly status: 'recorded'; readonly jobIds: readonly (string | null)[] } | { readonly status: 'lease_lost' };

export interface GetStepsParams {
  readonly jobId: string;
  /** Leave out so many at the start. */
  readonly from: number;
  readonly limit: number;
}

export interface SignalParams {
  readonly signals: readonly NewSignal[];
}

export interface NewSignal {
  /** A UUIDv7 made by the caller. A known one is the repeat of a call whose outcome was unknown: a no-op. */
  readonly id: string;
  readonly jobId: string;
  readonly name: string;
  /** null: the signal carries nothing. */
  readonly payload: Payload | null;
}

export type SignalResult =
  | { readonly status: 'stored' }
  /** The job has finished, or has as many signals as a job may have; nothing was stored. */
  | { readonly status: 'refused'; readonly state: JobState }
  | { readonly status: 'not_found' };

export interface GetSignalsParams {
  readonly jobId: string;
  /** Leave out so many at the start. */
  readonly from: number;
  readonly limit: number;
}

/** A signal that a job was sent; they are in the order in which they were stored. */
export interface StoredSignal {
  readonly name: string;
  readonly payload: Payload | null;
}
