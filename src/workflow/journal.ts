import { ReseolioError } from '../core/errors.ts';
import type { JobRecord, Lease } from '../core/job.ts';
import type { NewJob } from '../core/new-job.ts';
import { LIMITS, NEVER_DUE } from '../core/options.ts';
import { type BegunStep, type EndedStep, packStep, type StepPlace } from '../core/step.ts';
import { History, type Told } from './history.ts';
import { type LoadHistoryParams, loadHistory, tryFailuresAgain } from './load-history.ts';
import { PatientReader } from './patient-reader.ts';
import { Recorder } from './recorder.ts';
import type { WorkflowEnvironment } from './workflow-host.ts';

export interface JournalParams {
  readonly job: JobRecord;
  readonly lease: Lease;
  readonly environment: WorkflowEnvironment;
  /** Something that was to be durable first may be told now. */
  readonly onReady: () => void;
  readonly onLeaseLost: () => void;
  /** The job remembers as much as a job may. */
  readonly onFull: (error: ReseolioError) => void;
}

/** What a job remembers, in memory and in the storage. */
export class Journal {
  readonly history = new History();
  readonly #params: JournalParams;
  readonly #recorder: Recorder;
  #reader: PatientReader | null = null;
  #steps: number;
  #bytes = 0;

  constructor(params: JournalParams) {
    const { environment, job, lease, onLeaseLost } = params;
    this.#params = params;
    this.#steps = job.stepCount;
    this.#recorder = new Recorder({ ...environment, lease, from: job.stepCount, onLeaseLost });
  }

  /** Reads what is stored. Rejects when the journal is closed meanwhile. */
  async load(isResumed: boolean): Promise<void> {
    const { job, environment } = this.#params;
    if (job.stepCount === 0) return;
    const reader = new PatientReader(environment);
    this.#reader = reader;
    const { storage } = environment;
    const params: LoadHistoryParams = { history: this.history, job, storage, repeat: (read) => reader.repeat(read) };
    this.#bytes = await loadHistory(params);
    // To be read in its place by those that go on with this attempt: what comes next was recorded without the failures.
    if (!isResumed && (await tryFailuresAgain(params))) this.#record(packStep({ phase: 'forgotten' }), null, () => {});
  }

  /** A request is under way that time ends. */
  begin(step: BegunStep): void {
    this.#record(packStep(step), null, () => {});
    this.#recorder.flush();
  }

  /**
   * A request has ended. `child` is made with it. It may be told at once, and is recorded when it is; or `isDurableFirst`,
   * when it is stored.
   */
  end(step: Omit<EndedStep, 'order'>, child: NewJob | null, isDurableFirst: boolean): void {
    const told = this.history.end(step);
    if (isDurableFirst) {
      this.#recordTold(told, child);
      this.#recorder.flush();
    } else {
      told.isReady = true;
      // Before what is asked for next: a replay takes a version that is not there for one that was never asked for.
      if (step.outcome.kind === 'versioned') this.#recordTold(told, null);
    }
  }

  /** What comes next is told, after the handler has asked for so much. It is stored with what is stored next. */
  tell(told: Told, asked: number): void {
    this.history.advance();
    if (told.isRecorded) return;
    told.step = { ...told.step, asked };
    this.#recordTold(told, null);
  }

  /**
   * Resolves when the function of a step may run: all that was told is stored. A failure that was told last stands from here
   * on, as the function may be what is done about it.
   */
  startStep(place: StepPlace): Promise<void> {
    if (this.history.endsInFailure) this.begin({ ...place, phase: 'begun', wakeAt: NEVER_DUE });
    return this.flushed();
  }

  /** Resolves when all that was told is stored. */
  flushed(): Promise<void> {
    return this.#recorder.flushed();
  }

  /** A child that was called has not been made yet. */
  get hasChild(): boolean {
    return this.#recorder.hasChild;
  }

  close(): void {
    this.#recorder.close();
    this.#reader?.close();
  }

  #recordTold(told: Told, child: NewJob | null): void {
    told.isRecorded = true;
    this.#record(packStep(told.step), child, (jobId) => {
      this.history.noteCalled(told, jobId);
      told.isReady = true;
      this.#params.onReady();
    });
  }

  #record(body: Uint8Array, child: NewJob | null, onRecorded: (jobId: string | null) => void): void {
    this.#steps++;
    this.#bytes += body.length;
    if (this.#steps > LIMITS.steps || this.#bytes > LIMITS.stepBytes) {
      this.#params.onFull(journalFull(this.#params.job.id));
    } else {
      this.#recorder.add({ body, child }, onRecorded);
    }
  }
}

function journalFull(jobId: string): ReseolioError {
  return new ReseolioError(
    'step_limit',
    `job ${jobId} remembers ${LIMITS.steps} steps or ${LIMITS.stepBytes} bytes of them: let a child go on with the work`,
  );
}
