import type { Storage } from '../../../src/core/storage.ts';
import { Reseolio, type ReseolioOptions } from '../../../src/index.ts';
import type { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';
import { MortalStorage } from '../mortal-storage.ts';
import type { Chance } from './chance.ts';
import type { Observer } from './observer.ts';
import type { Block } from './plan.ts';
import { PlanRun, type RunJob } from './run-block.ts';
import { createUnreliableStorage, type Unreliability } from './unreliable-storage.ts';

export interface SimulatedProcessesParams {
  readonly runtime: DrivenRuntime;
  readonly storage: Storage;
  readonly observer: Observer;
  readonly chance: Chance;
  readonly options: ReseolioOptions;
  readonly maxAttempts: number;
  /** How many processes are not to live to the end. */
  readonly deaths: number;
  /** The lines of those that do not live to the end. */
  readonly unreliability: Unreliability;
  /** Later processes have newer code. */
  readonly isUpgraded: boolean;
  readonly onRunning: (jobId: string, plan: Block) => void;
}

/** What the lines of those that live to the end are, slow as they may be. */
const HEALTHY = { errorProbability: 0, isHeartless: false } as const;

/** Processes on one storage: each runs until it is killed at one of its calls, stops, or is left to the end. */
export class SimulatedProcesses {
  readonly #params: SimulatedProcessesParams;
  readonly #clients: Reseolio[] = [];
  #living = 0;
  #started = 0;

  constructor(params: SimulatedProcessesParams) {
    this.#params = params;
  }

  /** How many there were. */
  get started(): number {
    return this.#started;
  }

  /** Starts processes until so many live. */
  async replenish(count: number): Promise<void> {
    while (this.#living < count) await this.#start();
  }

  /** Stops those that live and buries those that do not. */
  stopAll(): Promise<unknown> {
    return Promise.all(this.#clients.map((client) => client.stop()));
  }

  async #start(): Promise<void> {
    const { runtime, storage, observer, chance, options, maxAttempts, deaths, isUpgraded, unreliability } =
      this.#params;
    const isMortal = this.#started < deaths;
    const codeVersion = isUpgraded && this.#started > 0 ? 1 : 0;
    this.#started++;
    this.#living++;
    const death = isMortal && chance.is(0.8) ? { atCall: chance.int(3, 60), isAfterEffect: chance.is(0.5) } : null;
    const own = new MortalStorage(storage, death, () => this.#living--);
    const reached = own as unknown as Storage;
    const client = new Reseolio({
      ...options,
      storage: createUnreliableStorage(
        reached,
        chance,
        runtime,
        isMortal ? unreliability : { ...unreliability, ...HEALTHY },
      ),
    });
    this.#clients.push(client);
    const { onRunning } = this.#params;
    const isDead = (): boolean => own.isDead;
    const runJob: RunJob = client.durable('job', (plan: Block, site: string, deathsHere: number) =>
      new PlanRun({ runtime, observer, runJob, codeVersion, isDead, onRunning }, maxAttempts).run(
        plan,
        site,
        deathsHere,
      ),
    );
    await client.start();
    if (isMortal && death === null) this.#stopLater(client, chance.int(1, 600));
  }

  #stopLater(client: Reseolio, afterMs: number): void {
    this.#params.runtime.setTimer(afterMs, () => {
      void client.stop().then(() => this.#living--);
    });
  }
}
