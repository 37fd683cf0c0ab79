import assert from 'node:assert/strict';
import type { Lease } from '../core/job.ts';
import { encodePayload } from '../core/payload.ts';
import type {
  NewSignal,
  NewStep,
  RecordStepsResult,
  SignalResult,
  StoredSignal,
  StoredStep,
} from '../core/step-operations.ts';
import type { ChangeResult, NewJob, Settlement, SettleResult, Storage, Suspension } from '../core/storage.ts';
import {
  type Claimed,
  type ComparablePayload,
  comparablePayload,
  type JobDraft,
  type RuleContext,
} from './rule-context.ts';

/** More pages than any rule writes. */
const MAX_PAGES = 1000;

export type ComparableStep = Readonly<{ hex: string; jobId: string | null }>;
export type ComparableSignal = Readonly<{ name: string; payload: ComparablePayload | null }>;

/** Short ways to say what rules about steps, suspensions and signals say. */
export class StepContext {
  readonly #rule: RuleContext;

  constructor(rule: RuleContext) {
    this.#rule = rule;
  }

  get storage(): Storage {
    return this.#rule.storage;
  }

  /** Enqueues a job and claims it: the only one of its name that is due. */
  async start(name: string, draft: JobDraft = {}, leaseMs = 15_000): Promise<Claimed> {
    const id = await this.#rule.enqueueOne({ ...draft, name });
    const claimed = await this.#rule.claimOne({ names: [name], leaseMs });
    assert.equal(claimed.job.id, id);
    return claimed;
  }

  async record(lease: Lease, from: number, ...steps: NewStep[]): Promise<RecordStepsResult> {
    const [result] = await this.storage.recordSteps({ recordings: [{ lease, from, steps }] });
    assert.ok(result !== undefined, 'recordSteps answers each recording');
    return result;
  }

  /** Records one step that makes `child`, and gives the id of the job that stands for it. */
  async recordChild(lease: Lease, from: number, child: NewJob): Promise<string> {
    const result = await this.record(lease, from, newStep(`calls ${child.name}`, child));
    assert.equal(result.status, 'recorded');
    const [jobId] = result.jobIds;
    assert.ok(typeof jobId === 'string', 'recordSteps answers each step');
    return jobId;
  }

  /** Makes a child of the job that `lease` holds and claims it: the only one of its name that is due. */
  async startChild(lease: Lease, from: number, name: string): Promise<Claimed> {
    const id = await this.recordChild(lease, from, this.#rule.newJob({ name }));
    const claimed = await this.#rule.claimOne({ names: [name] });
    assert.equal(claimed.job.id, id);
    return claimed;
  }

  /** All steps of a job, and what it says about their number. */
  async steps(jobId: string, limit = 100): Promise<ComparableStep[]> {
    return readAllSteps(this.storage, jobId, limit);
  }

  /** All steps of a job as the texts that {@link newStep} was given. */
  async texts(jobId: string): Promise<string[]> {
    return (await this.steps(jobId)).map(({ hex }) => Buffer.from(hex, 'hex').toString());
  }

  newSignal(jobId: string, draft: Partial<NewSignal> = {}): NewSignal {
    return { id: this.#rule.nextId(), jobId, name: 'go', payload: null, ...draft };
  }

  async signal(jobId: string, draft: Partial<NewSignal> = {}): Promise<SignalResult> {
    const [result] = await this.storage.signal({ signals: [this.newSignal(jobId, draft)] });
    assert.ok(result !== undefined, 'signal answers each signal');
    return result;
  }

  async signals(jobId: string, limit = 100): Promise<ComparableSignal[]> {
    return readAllSignals(this.storage, jobId, limit);
  }

  async signalNames(jobId: string): Promise<string[]> {
    return (await this.signals(jobId)).map(({ name }) => name);
  }

  async suspend(lease: Lease, suspension: Partial<Suspension> = {}): Promise<SettleResult> {
    return this.#rule.settle(lease, suspended(suspension));
  }

  /** Suspends the job until one of `awaits` has finished. */
  async awaitJobs(lease: Lease, ...awaits: string[]): Promise<SettleResult> {
    return this.suspend(lease, { awaits });
  }

  async requestStop(jobId: string): Promise<ChangeResult> {
    const [result] = await this.storage.cancel({ jobIds: [jobId], isRunningIncluded: true });
    assert.ok(result !== undefined, 'cancel answers each id');
    return result;
  }

  /** Whether the job is suspended, and due. */
  async isWoken(jobId: string): Promise<boolean> {
    const { state, isSuspended, runAt } = await this.#rule.job(jobId);
    assert.deepEqual([state, isSuspended], ['pending', true], 'the job should be suspended');
    return runAt <= this.#rule.now();
  }
}

export function newStep(text: string, child: NewJob | null = null): NewStep {
  return { body: Buffer.from(text), child };
}

export function suspended(suspension: Partial<Suspension> = {}): Suspension {
  return { kind: 'suspend', wakeAt: null, awaits: [], signalsSeen: null, ...suspension };
}

export function awaiting(lease: Lease, ...awaits: string[]): Settlement {
  return { lease, outcome: suspended({ awaits }) };
}

export function payloadOf(value: unknown): ReturnType<typeof encodePayload> {
  return encodePayload(value, 'args');
}

/** All steps of a job, read `limit` a page. */
export async function readAllSteps(storage: Storage, jobId: string, limit: number): Promise<ComparableStep[]> {
  const steps = await readPages(limit, (from) => storage.getSteps({ jobId, from, limit }));
  return steps.map(comparableStep);
}

/** All signals of a job, read `limit` a page. */
export async function readAllSignals(storage: Storage, jobId: string, limit: number): Promise<ComparableSignal[]> {
  const signals = await readPages(limit, (from) => storage.getSignals({ jobId, from, limit }));
  return signals.map(comparableSignal);
}

async function readPages<T>(limit: number, read: (from: number) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 0; page < MAX_PAGES; page++) {
    const items = await read(all.length);
    assert.ok(items.length <= limit, 'a page keeps to its limit');
    if (items.length === 0) return all;
    all.push(...items);
  }
  throw new Error(`there are still more after ${MAX_PAGES} pages`);
}

function comparableStep({ body, jobId }: StoredStep): ComparableStep {
  return { hex: Buffer.from(body).toString('hex'), jobId };
}

function comparableSignal({ name, payload }: StoredSignal): ComparableSignal {
  return { name, payload: payload === null ? null : comparablePayload(payload) };
}
