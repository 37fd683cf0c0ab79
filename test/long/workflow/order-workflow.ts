import {
  currentJob,
  type DurableFunction,
  JobFailedError,
  NonRetryableError,
  type Reseolio,
  type StepOptions,
  type StepTry,
  sleep,
  step,
  version,
  waitForSignal,
} from '../../../src/index.ts';
import { LONG_SLEEP_MS, PARCELS, SHORT_SLEEP_MS, SIGNAL_DELAY_MS, WORKFLOW_VERSION } from './order-plan.ts';
import type { Trail } from './trail.ts';

/** A life may end in any attempt, and loses it. */
const OPTIONS = { maxAttempts: 1000, initialDelayMs: 1, maxDelayMs: 10, jitter: 0 } as const;

type Child = DurableFunction<[string], string>;

/**
 * A workflow of some of everything: children one after the other and at once, steps, sleeps with and without suspension, a
 * signal, a version, a child and a step that fail once, and a child that fails for good. Whatever comes out of one of these
 * says in which life it came about, so that what is remembered can be told from what is done again.
 */
export class OrderWorkflow {
  readonly process: DurableFunction<[], Record<string, unknown>>;
  readonly #trail: Trail;
  readonly #charge: Child;
  readonly #ship: Child;
  readonly #approve: Child;
  readonly #confirm: Child;
  readonly #decline: Child;

  constructor(reseolio: Reseolio, trail: Trail) {
    this.#trail = trail;
    this.process = reseolio.durable('process', () => this.#process(), OPTIONS);
    const declare = (name: string, handler: (effect: string) => Promise<string>): Child =>
      reseolio.durable(name, handler, OPTIONS);
    this.#charge = declare('charge', async (effect) => this.#act(effect));
    this.#ship = declare('ship', async (effect) => this.#act(effect));
    this.#approve = declare('approve', async (effect) => {
      const value = this.#act(effect);
      await reseolio.getHandle(currentJob().parentId as string).signal('approved', value);
      return value;
    });
    this.#confirm = declare('confirm', async (effect) => {
      if (currentJob().attempt === 1) throw new Error('fails once');
      return this.#act(effect);
    });
    this.#decline = declare('decline', async (effect) => {
      this.#act(effect);
      throw new NonRetryableError('fails for good');
    });
  }

  async #process(): Promise<Record<string, unknown>> {
    const chosen = await this.#tell('version', () => version('change', WORKFLOW_VERSION));
    const charge = await this.#runChild('charge', this.#charge);
    const label = await this.#runStep('label');
    await this.#tell('short sleep', () => sleep(SHORT_SLEEP_MS));
    await this.#tell('long sleep', () => sleep(LONG_SLEEP_MS));
    const parcels = await Promise.all(PARCELS.map((parcel) => this.#sendParcel(parcel)));
    const approval = await this.#callChild('approve', this.#approve, SIGNAL_DELAY_MS);
    const approved = await this.#tell('approved', () => waitForSignal('approved'));
    const approve = await this.#tell('approve', () => approval.result());
    const refund = await this.#refundWhatIsDeclined();
    const confirm = await this.#runChild('confirm', this.#confirm);
    const receipt = await this.#runStep('receipt', ({ attempt }) => {
      if (attempt === 1) throw new Error('fails once');
    });
    const sent = Object.assign({}, ...parcels) as Record<string, unknown>;
    return { version: chosen, charge, label, ...sent, approved, approve, refund, confirm, receipt };
  }

  async #sendParcel(parcel: string): Promise<Record<string, unknown>> {
    const ship = await this.#runChild(`ship ${parcel}`, this.#ship);
    const notify = await this.#runStep(`notify ${parcel}`);
    return { [`ship ${parcel}`]: ship, [`notify ${parcel}`]: notify };
  }

  /** That a child failed is remembered by the time something is done about it, and not before. */
  async #refundWhatIsDeclined(): Promise<unknown> {
    const declined = await this.#callChild('decline', this.#decline);
    this.#trail.pass('decline is awaited');
    try {
      await declined.result();
    } catch (error) {
      if (!(error instanceof JobFailedError) || error.errorName !== 'NonRetryableError') throw error;
    }
    this.#trail.pass('decline is told');
    return this.#runStep('refund', () => this.#trail.noteTold('decline', 'declined'));
  }

  async #runChild(effect: string, child: Child): Promise<unknown> {
    const handle = await this.#callChild(effect, child);
    return this.#tell(effect, () => handle.result());
  }

  async #callChild(effect: string, child: Child, delayMs = 0): ReturnType<Child> {
    this.#trail.pass(`call of ${effect} is awaited`);
    const handle = await child.callWithOptions([effect], { delayMs });
    this.#trail.noteTold(`call of ${effect}`, handle.jobId);
    this.#trail.pass(`call of ${effect} is told`);
    return handle;
  }

  async #runStep(effect: string, before: (current: StepTry) => void = () => {}): Promise<unknown> {
    const options: StepOptions = { initialDelayMs: 1, maxDelayMs: 1 };
    const run = (current: StepTry): string => {
      before(current);
      return this.#act(effect);
    };
    return this.#tell(effect, () => step(effect, run, options));
  }

  /** An await of the handler. */
  async #tell<Result>(name: string, ask: () => Promise<Result>): Promise<Result> {
    this.#trail.pass(`${name} is awaited`);
    const value = await ask();
    this.#trail.noteTold(name, value);
    this.#trail.pass(`${name} is told`);
    return value;
  }

  /** The side effect of a step or of a child. */
  #act(effect: string): string {
    this.#trail.pass(`${effect} begins`);
    this.#trail.noteEffect(effect, currentJob().id);
    this.#trail.pass(`${effect} is done`);
    return `${effect} in life ${this.#trail.life}`;
  }
}
