import type { FinishedJob } from '../core/job.ts';
import type { Runtime } from '../core/runtime.ts';
import type { AttemptOutcome, Storage } from '../core/storage.ts';

/** What a workflow needs of the client that it runs in. */
export interface WorkflowEnvironment {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly maxPayloadBytes: number;
  /** How long a handler that waits is kept in memory, milliseconds. */
  readonly suspendAfterMs: number;
  /** A call of the storage was rejected; true: it need not be repeated. */
  readonly reportError: (error: unknown) => boolean;
  /** Calls back when the job has finished; until the function that is returned is called. */
  readonly awaitJob: (
    jobId: string,
    onFinished: (job: FinishedJob) => void,
    onMissing: (error: unknown) => void,
  ) => () => void;
  /** A job is about to be made: word of its end is still to come. */
  readonly expectJob: (jobId: string) => void;
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
