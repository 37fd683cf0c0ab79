import type { FinishedJob } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, Storage } from '../core/storage.ts';
import type { Turns } from './turns.ts';

/** What a workflow needs of the client that it runs in. */
export interface WorkflowEnvironment {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly turns: Turns;
  readonly maxPayloadBytes: number;
  /** How long a handler that waits is kept in memory, milliseconds. */
  readonly suspendAfterMs: number;
  /** A call of the storage was rejected; true: it need not be repeated. */
  readonly reportError: (error: unknown) => boolean;
  /** Listens for the end of a job, until the function that is returned is called. */
  readonly awaitJob: (jobId: string, listener: JobListener) => () => void;
  /** Has a job looked at that is listened for. */
  readonly lookAtJob: (jobId: string) => void;
  /** A job is about to be made: word of its end is still to come. */
  readonly expectJob: (jobId: string) => void;
}

/** Who is told of a job. */
export interface JobListener {
  readonly onFinished: (job: FinishedJob) => void;
  /** It is not there, or nobody can say any more. */
  readonly onMissing: (error: unknown) => void;
  /** Somebody has looked, and it has not finished. */
  readonly onPending: () => void;
}

/** What a workflow needs of the attempt that it is part of. */
export interface WorkflowHost {
  /** What the storage's clock reads, as far as can be told from here. */
  storageNow(): number;
  /** Nothing but waiting is left to do: gives the slot back. The workflow is to be suspended `suspendInMs` from now. */
  park(suspendInMs: number): void;
  /** There is something to do: calls `goOn` once there is a slot for it. */
  unpark(goOn: () => void): void;
  /** Ends the attempt. */
  end(outcome: AttemptOutcome): void;
  loseLease(): void;
}
