import {
  currentJob,
  type DurableFunction,
  JobFailedError,
  NonRetryableError,
  ResultTimeoutError,
  SignalTimeoutError,
  StepFailedError,
  sleep,
  step,
  version,
  waitForSignal,
} from '../../../src/index.ts';
import type { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';
import type { Observer, Told } from './observer.ts';
import type { Block } from './plan.ts';

export type RunJob = DurableFunction<[plan: Block, site: string, deaths: number], unknown>;

/** The process that a handler runs in. */
export interface HandlerProcess {
  readonly runtime: DrivenRuntime;
  readonly observer: Observer;
  readonly runJob: RunJob;
  readonly codeVersion: number;
  readonly isDead: () => boolean;
  /** Has signals sent to a job. */
  readonly onRunning: (jobId: string, plan: Block) => void;
}

const CHILD_OPTIONS = { initialDelayMs: 5, maxDelayMs: 5, jitter: 0, timeoutMs: 60_000 } as const;
const TRIES = { maxAttempts: 5, initialDelayMs: 3, maxDelayMs: 3, jitter: 0 } as const;

/** Runs the plan of one job. What it does is seen by the observer, as long as its process lives. */
export class PlanRun {
  readonly #process: HandlerProcess;
  readonly #jobId: string;
  readonly #maxAttempts: number;
  /** What this run was told so far, by place. */
  readonly #told = new Map<string, Told>();
  readonly #payloads = new Set<string>();

  constructor(process: HandlerProcess, maxAttempts: number) {
    this.#process = process;
    this.#jobId = currentJob().id;
    this.#maxAttempts = maxAttempts;
  }

  async run(plan: Block, site: string, deaths: number): Promise<unknown> {
    const { observer, onRunning } = this.#process;
    observer.handlerRuns++;
    if (observer.isToDie(site, deaths, this.#jobId)) throw new NonRetryableError('this one is to die');
    onRunning(this.#jobId, plan);
    return this.#do(plan, 'plan');
  }

  async #do(block: Block, path: string): Promise<unknown> {
    switch (block.kind) {
      case 'step':
        return this.#step(path, block.workMs, block.failures, block.isFatal);
      case 'sleep':
        await sleep(block.ms);
        return this.#tell(path, 'slept');
      case 'throw':
        if (this.#process.observer.count(`${this.#jobId} ${path}`) < block.times) throw new Error('thrown by plan');
        return 'passed';
      case 'change':
        return this.#change(path);
      case 'signal':
        return this.#signal(path, signalName(block, path), block.timeoutMs);
      case 'call':
        return this.#call(block, path);
      case 'sequence':
        return this.#sequence(block.blocks, path);
      case 'parallel':
        return Promise.all(this.#all(block.blocks, path));
      case 'race':
        return Promise.race(this.#all(block.blocks, path));
      case 'settled': {
        const outcomes = await Promise.allSettled(this.#all(block.blocks, path));
        return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'));
      }
      case 'attempt':
        return this.#do(block.body, `${path}.body`).catch(() => this.#do(block.rescue, `${path}.rescue`));
    }
  }

  #all(blocks: readonly Block[], path: string): Promise<unknown>[] {
    return blocks.map((block, i) => this.#do(block, `${path}.${i}`));
  }

  async #sequence(blocks: readonly Block[], path: string): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const [i, block] of blocks.entries()) values.push(await this.#do(block, `${path}.${i}`));
    return values;
  }

  async #step(path: string, workMs: number, failures: number, isFatal: boolean): Promise<unknown> {
    const { runtime, observer, isDead } = this.#process;
    const key = `${this.#jobId} ${path}`;
    const toldBefore = new Map(this.#told);
    const run = async (): Promise<string> => {
      if (isDead()) return new Promise(() => {});
      observer.beginStep(key, toldBefore);
      if (workMs > 0) await new Promise<void>((resolve) => runtime.setTimer(workMs, resolve));
      if (isFatal) throw new NonRetryableError('fatal by plan');
      if (observer.count(key) < failures) throw new Error('failed by plan');
      return 'stepped';
    };
    try {
      const result = await step(path, run, TRIES);
      if (!isDead()) observer.endStep(key);
      return this.#tell(path, result);
    } catch (error) {
      if (error instanceof StepFailedError) this.#tell(path, 'failed');
      throw error;
    }
  }

  async #signal(path: string, name: string, timeoutMs: number | null): Promise<unknown> {
    try {
      const payload = await waitForSignal<string>(name, timeoutMs === null ? {} : { timeoutMs });
      if (this.#payloads.has(payload)) this.#process.observer.note(`${this.#jobId} took the signal ${payload} twice`);
      this.#payloads.add(payload);
      this.#tell(path, payload);
      return 'signalled';
    } catch (error) {
      if (error instanceof SignalTimeoutError) return this.#tell(path, 'timed out');
      throw error;
    }
  }

  async #change(path: string): Promise<unknown> {
    if (this.#process.codeVersion === 0) return 0;
    const chosen = await version(path, 1);
    if (chosen >= 1) await this.#step(`${path}.new`, 0, 0, false);
    return chosen;
  }

  async #call(block: Extract<Block, { kind: 'call' }>, path: string): Promise<unknown> {
    const { body, deaths, isAwaited, timeoutMs } = block;
    const options = { ...CHILD_OPTIONS, maxAttempts: this.#maxAttempts };
    const args = [body, `${this.#jobId} ${path}`, deaths] as const;
    const handle = await this.#process.runJob.callWithOptions(args, options);
    this.#tell(`${path}.call`, handle.jobId, true);
    if (!isAwaited) return 'called';
    try {
      const result = await (timeoutMs === null ? handle.result() : handle.result(timeoutMs));
      return this.#tell(path, result);
    } catch (error) {
      if (error instanceof ResultTimeoutError) return this.#tell(path, 'timed out');
      if (error instanceof JobFailedError) this.#tell(path, 'failed');
      throw error;
    }
  }

  #tell(path: string, value: unknown, isCall = false): unknown {
    const { observer, isDead } = this.#process;
    const key = `${this.#jobId} ${path}`;
    const told: Told = { value, isCall };
    if (!isDead()) observer.tell(key, told);
    this.#told.set(key, told);
    return value;
  }
}

export interface PlannedSignal {
  readonly name: string;
  readonly payload: string;
  readonly afterMs: number;
}

/** The signals that a plan waits for, children left out. */
export function listSignals(block: Block, path = 'plan'): PlannedSignal[] {
  switch (block.kind) {
    case 'signal':
      if (block.sentAfterMs === null) return [];
      return [{ name: signalName(block, path), payload: path, afterMs: block.sentAfterMs }];
    case 'sequence':
    case 'parallel':
    case 'race':
    case 'settled':
      return block.blocks.flatMap((inner, i) => listSignals(inner, `${path}.${i}`));
    case 'attempt':
      return [...listSignals(block.body, `${path}.body`), ...listSignals(block.rescue, `${path}.rescue`)];
    default:
      return [];
  }
}

function signalName({ isShared }: Extract<Block, { kind: 'signal' }>, path: string): string {
  return isShared ? 'shared' : path;
}
