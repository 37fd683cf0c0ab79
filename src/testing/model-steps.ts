import type { Lease } from '../core/job.ts';
import { encodePayload } from '../core/payload.ts';
import type { NewSignal, NewStep, StepRecording } from '../core/step-operations.ts';
import type { NewJob } from '../core/storage.ts';
import { KnownItems } from './known-items.ts';
import type { DraftSpec } from './model-draft.ts';
import { findLease } from './model-settlements.ts';
import type { RecordingSpec, SignalSpec, StepOperation, StepSpec } from './model-step-operation.ts';
import type { RuleContext } from './rule-context.ts';
import type { StoragePair } from './storage-pair.ts';

export interface ModelStepsParams {
  readonly pair: StoragePair;
  readonly context: RuleContext;
  readonly jobIds: KnownItems<string>;
  readonly leases: KnownItems<Lease>;
  /** Where the jobs are added that were to have children. */
  readonly parentIds: KnownItems<string>;
  /** Makes a job that the run will know of, stored or not. */
  readonly newJob: (spec: DraftSpec) => NewJob;
}

/** What a random run does to what jobs remember and are told. */
export class ModelSteps {
  readonly #params: ModelStepsParams;
  readonly #signals = new KnownItems<NewSignal>();

  constructor(params: ModelStepsParams) {
    this.#params = params;
  }

  async apply(operation: Exclude<StepOperation, { kind: 'awaitEachOther' }>): Promise<void> {
    const { pair } = this.#params;
    switch (operation.kind) {
      case 'recordSteps':
        return this.#record(operation.recordings);
      case 'signal':
        return this.#signal(operation.signals);
      case 'signalAgain': {
        const signals = operation.signals.map((place) => this.#signals.fromNewest(place)).filter((s) => s !== null);
        return pair.compare((storage) => storage.signal({ signals }));
      }
    }
  }

  async #record(specs: readonly RecordingSpec[]): Promise<void> {
    const recordings: StepRecording[] = [];
    for (const spec of specs) {
      const lease = findLease(this.#params.leases, spec);
      if (lease === null) continue;
      const steps = spec.steps.map((step) => this.#newStep(step));
      if (steps.some(({ child }) => child !== null)) this.#params.parentIds.add(lease.jobId);
      recordings.push({ lease, from: await this.#from(spec, lease.jobId), steps });
    }
    await this.#params.pair.compare((storage) => storage.recordSteps({ recordings }));
  }

  async #from({ place, steps }: RecordingSpec, jobId: string): Promise<number> {
    const [job] = await this.#params.pair.model.getJobs({ jobIds: [jobId] });
    const count = job?.stepCount ?? 0;
    if (place === 'next') return count;
    return place === 'beyond' ? count + 1 : Math.max(0, count - steps.length);
  }

  #newStep({ bodyChars, child }: StepSpec): NewStep {
    const body = Buffer.from(`${this.#params.context.nextId()}${'x'.repeat(bodyChars)}`);
    return { body, child: child === null ? null : this.#params.newJob(child) };
  }

  async #signal(specs: readonly SignalSpec[]): Promise<void> {
    const signals = specs.flatMap(({ job, name, payloadChars }): NewSignal[] => {
      const jobId = this.#params.jobIds.fromNewest(job);
      const payload = payloadChars === null ? null : encodePayload('x'.repeat(payloadChars), 'args');
      return jobId === null ? [] : [{ id: this.#params.context.nextId(), jobId, name, payload }];
    });
    this.#signals.add(...signals);
    await this.#params.pair.compare((storage) => storage.signal({ signals }));
  }
}
