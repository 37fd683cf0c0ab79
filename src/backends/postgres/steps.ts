import { isJobId } from '../../core/job-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type {
  GetSignalsParams,
  GetStepsParams,
  NewSignal,
  RecordStepsParams,
  RecordStepsResult,
  SignalParams,
  SignalResult,
  StepRecording,
  StoredSignal,
  StoredStep,
} from '../../core/step-operations.ts';
import type { Connections } from './connections.ts';
import type { CountFolder } from './count-folder.ts';
import { type Call, GroupCommit, splitResults } from './group-commit.ts';
import { HeldUpCalls } from './held-up-calls.ts';
import type { Hints } from './hints.ts';
import type { Lanes } from './lanes.ts';
import { planByJob } from './operations/leases.ts';
import { getSignalsQuery, getStepsQuery, readSignal, readStep } from './operations/read-steps.ts';
import { childrenOf, readRecorded, recordStepsQuery } from './operations/record-steps.ts';
import { lanesOfWoken, NOT_FOUND, readSignalled, signalQuery } from './operations/signal.ts';
import type { CommitSetting } from './query.ts';

/** One statement waits for the disk while the next is put together. */
const MAX_IN_FLIGHT = 2;
/** What stays in one order, as what was submitted does then. */
const ONE_IN_FLIGHT = 1;

export interface StepsParams {
  readonly connections: Pick<Connections, 'run' | 'runOnce' | 'timeoutMs'>;
  readonly runtime: Pick<Runtime, 'monotonicNow'>;
  readonly lanes: Lanes;
  readonly hints: Pick<Hints, 'postWork' | 'postSignals'>;
  readonly folder: Pick<CountFolder, 'note'>;
  readonly commit: CommitSetting;
  /** Jobs of these lanes are due. */
  readonly onDue: (lanes: readonly number[]) => Promise<void>;
}

/** What jobs remember and are told. Workers record steps again by themselves, what users wait for is tried again here. */
export class Steps {
  readonly #params: StepsParams;
  readonly #plain: GroupCommit<StepRecording, RecordStepsResult>;
  /** Calls that make children with idempotency keys: as in `Enqueues`. */
  readonly #keyed: GroupCommit<StepRecording, RecordStepsResult>;
  readonly #signals: GroupCommit<NewSignal, SignalResult>;

  constructor(params: StepsParams) {
    this.#params = params;
    const heldUp = new HeldUpCalls(params.runtime, params.connections.timeoutMs);
    this.#plain = new GroupCommit({
      commit: async (calls) => splitResults(calls, await this.#record(calls.flat(), null)),
      bytesOf: recordingBytes,
      maxInFlight: MAX_IN_FLIGHT,
    });
    const commitKeyed = (calls: readonly Call<StepRecording>[]) =>
      heldUp.store(calls, (recordings, lockTimeoutMs) => this.#record(recordings, lockTimeoutMs));
    this.#keyed = new GroupCommit({ commit: commitKeyed, bytesOf: recordingBytes, maxInFlight: MAX_IN_FLIGHT });
    this.#signals = new GroupCommit({
      commit: async (calls) => splitResults(calls, await this.#signal(calls.flat())),
      bytesOf: ({ payload }) => payload?.bytes.length ?? 0,
      maxInFlight: ONE_IN_FLIGHT,
    });
  }

  /** Resolves once the steps and their children are durable. */
  async record({ recordings }: RecordStepsParams): Promise<RecordStepsResult[]> {
    if (recordings.length === 0) return [];
    const { lanes, hints, folder } = this.#params;
    const children = childrenOf(recordings);
    const added = lanes.ensure(children);
    if (added !== null) await added;
    const isKeyed = children.some(({ idempotencyKey }) => idempotencyKey !== null);
    const results = await (isKeyed ? this.#keyed : this.#plain).submit(recordings);
    const made = new Set(results.flatMap((result) => (result.status === 'recorded' ? result.jobIds : [])));
    const names = new Set(children.filter(({ id }) => made.has(id)).map(({ name }) => name));
    hints.postWork([...names]);
    folder.note(names.size);
    return results;
  }

  async getSteps(params: GetStepsParams): Promise<StoredStep[]> {
    return isJobId(params.jobId) ? (await this.#params.connections.run(getStepsQuery(params))).map(readStep) : [];
  }

  /** Resolves once the signals are durable. */
  async signal({ signals }: SignalParams): Promise<SignalResult[]> {
    const sent = signals.filter(({ id, jobId }) => isJobId(id) && isJobId(jobId));
    if (sent.length === 0) return signals.map(() => NOT_FOUND);
    const results = await this.#signals.submit(sent);
    const resultOf = new Map(sent.map((signal, i) => [signal, results[i] as SignalResult]));
    this.#params.hints.postSignals(
      sent.filter((signal) => resultOf.get(signal)?.status === 'stored').map(({ jobId }) => jobId),
    );
    return signals.map((signal) => resultOf.get(signal) ?? NOT_FOUND);
  }

  async getSignals(params: GetSignalsParams): Promise<StoredSignal[]> {
    return isJobId(params.jobId) ? (await this.#params.connections.run(getSignalsQuery(params))).map(readSignal) : [];
  }

  async #record(recordings: readonly StepRecording[], lockTimeoutMs: number | null): Promise<RecordStepsResult[]> {
    const results = recordings.map((): RecordStepsResult => ({ status: 'lease_lost' }));
    for (const planned of planByJob(recordings.map(({ lease }) => lease))) {
      let places = planned;
      // A statement adds all that it has or nothing: what is not what comes next goes out of it.
      while (places.length > 0) {
        const recorded = await this.#recordTogether(
          places.map((place) => recordings[place] as StepRecording),
          lockTimeoutMs,
        );
        const left: number[] = [];
        for (const [i, place] of places.entries()) {
          const result = recorded[i] ?? null;
          if (result === null) left.push(place);
          else results[place] = result;
        }
        places = left;
      }
    }
    return results;
  }

  async #recordTogether(
    recordings: readonly StepRecording[],
    lockTimeoutMs: number | null,
  ): Promise<(RecordStepsResult | null)[]> {
    const { connections, lanes, commit } = this.#params;
    const rows = await lanes.using(childrenOf(recordings), () =>
      connections.runOnce(() => recordStepsQuery(recordings, lanes, { commit, lockTimeoutMs })),
    );
    return readRecorded(recordings, rows);
  }

  async #signal(signals: readonly NewSignal[]): Promise<SignalResult[]> {
    const { connections, commit, onDue } = this.#params;
    const rows = await connections.run(signalQuery(signals, commit));
    await onDue(lanesOfWoken(rows));
    return readSignalled(signals, rows);
  }
}

function recordingBytes({ steps }: StepRecording): number {
  return steps.reduce((bytes, { body, child }) => bytes + body.length + (child?.args.bytes.length ?? 0), 0);
}
