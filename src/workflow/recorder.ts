import { retryDelayMs, STORAGE_BACKOFF } from '../core/backoff.ts';
import type { Lease } from '../core/job.ts';
import type { Runtime, Timer } from '../core/runtime.ts';
import type { NewStep, RecordStepsResult } from '../core/step-operations.ts';
import type { Storage } from '../core/storage.ts';

/** Steps, and bytes of them, that go to the storage at once. */
const MAX_BATCH_STEPS = 1000;
const MAX_BATCH_BYTES = 8_388_608;

export interface RecorderParams {
  readonly runtime: Pick<Runtime, 'random' | 'setTimer'>;
  readonly storage: Pick<Storage, 'recordSteps'>;
  readonly lease: Lease;
  /** How many steps are stored already. */
  readonly from: number;
  /** A call was rejected; true: it need not be repeated. */
  readonly reportError: (error: unknown) => boolean;
  readonly onLeaseLost: () => void;
}

interface Waiting {
  readonly step: NewStep;
  readonly onRecorded: (jobId: string | null) => void;
}

/** Writes the steps of one attempt, in order and one batch at a time, each repeated until it is stored. */
export class Recorder {
  readonly #params: RecorderParams;
  #waiting: Waiting[] = [];
  /** How many of those that wait are being written, or are to be again: a repeat must be as the call was. */
  #batchLength = 0;
  #from: number;
  #isWriting = false;
  #isScheduled = false;
  #isWanted = false;
  #failures = 0;
  #backoff: Timer | null = null;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  constructor(params: RecorderParams) {
    this.#params = params;
    this.#from = params.from;
  }

  /** Nothing waits to be written, or is being written. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** A child that was called has not been made yet. */
  get hasChild(): boolean {
    return this.#waiting.some(({ step }) => step.child !== null);
  }

  /** Takes on a step, to be written with the next {@link flush}. */
  add(step: NewStep, onRecorded: (jobId: string | null) => void): void {
    if (!this.#isClosed) this.#waiting.push({ step, onRecorded });
  }

  /** Writes what has been taken on; what is added in the same turn goes with it. */
  flush(): void {
    this.#isWanted = true;
    if (this.#isScheduled || this.#isWriting || this.#backoff !== null) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      void this.#write();
    });
  }

  /** Writes what has been taken on. Resolves when it is stored, or the recorder is closed. */
  flushed(): Promise<void> {
    if (this.isIdle || this.#isClosed) return Promise.resolve();
    this.flush();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Writes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#backoff?.cancel();
    this.#backoff = null;
    this.#waiting = [];
    this.#notifyIdle();
  }

  async #write(): Promise<void> {
    if (this.#isClosed || this.#waiting.length === 0) return;
    this.#isWriting = true;
    this.#isWanted = false;
    if (this.#batchLength === 0) this.#batchLength = countForBatch(this.#waiting);
    const batch = this.#waiting.slice(0, this.#batchLength);
    const { storage, lease } = this.#params;
    let result: RecordStepsResult | undefined;
    try {
      const recording = { lease, from: this.#from, steps: batch.map(({ step }) => step) };
      [result] = await storage.recordSteps({ recordings: [recording] });
    } catch (error) {
      this.#isWriting = false;
      this.#handleError(error);
      return;
    }
    this.#isWriting = false;
    if (this.#isClosed) return;
    if (result?.status !== 'recorded') {
      this.close();
      this.#params.onLeaseLost();
      return;
    }
    this.#failures = 0;
    this.#from += batch.length;
    this.#batchLength = 0;
    this.#waiting = this.#waiting.slice(batch.length);
    for (const [i, { onRecorded }] of batch.entries()) onRecorded(result.jobIds[i] ?? null);
    if (this.isIdle) this.#notifyIdle();
    else if (this.#isWanted || this.#whenIdle.length > 0 || this.hasChild) this.flush();
  }

  /** A recording can be repeated: one that took effect all the same is told so. */
  #handleError(error: unknown): void {
    if (this.#isClosed) return;
    if (this.#params.reportError(error)) {
      this.close();
      return;
    }
    const { runtime } = this.#params;
    this.#failures++;
    this.#backoff = runtime.setTimer(retryDelayMs(STORAGE_BACKOFF, this.#failures, runtime.random()), () => {
      this.#backoff = null;
      void this.#write();
    });
  }

  #notifyIdle(): void {
    const callbacks = this.#whenIdle;
    this.#whenIdle = [];
    for (const callback of callbacks) callback();
  }
}

function countForBatch(waiting: readonly Waiting[]): number {
  let bytes = 0;
  let count = 0;
  for (const { step } of waiting) {
    bytes += step.body.length + (step.child?.args.bytes.length ?? 0);
    if (count > 0 && (bytes > MAX_BATCH_BYTES || count === MAX_BATCH_STEPS)) break;
    count++;
  }
  return count;
}
