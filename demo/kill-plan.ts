import type { KilledWorker, WorkerPool } from './worker-pool.ts';

/** How far the work has come, at least, when the first, second and third worker is killed. */
const SHARES = [0.2, 0.45, 0.7];

interface KillPlanParams {
  readonly pool: Pick<WorkerPool, 'mostRunning' | 'killBusiest'>;
  readonly jobs: number;
  readonly onKilled: (worker: KilledWorker, kill: number) => Promise<void>;
}

/** Kills a worker at each of three moments, as soon as one is in the middle of jobs. */
export class KillPlan {
  readonly #params: Readonly<KillPlanParams>;
  #kills = 0;
  #present: Promise<void> = Promise.resolve();
  #isKilling = false;

  constructor(params: Readonly<KillPlanParams>) {
    this.#params = params;
  }

  get kills(): number {
    return this.#kills;
  }

  /** Kills, if the moment is right. To be called whenever a job has ended or a worker has reported. */
  consider(ended: number): void {
    const share = SHARES[this.#kills];
    if (share === undefined || this.#isKilling) return;
    const { pool, jobs } = this.#params;
    if (ended === jobs || ended < Math.floor(share * jobs) || pool.mostRunning === 0) return;
    this.#present = this.#kill();
    // Told of by finish().
    this.#present.catch(() => {});
  }

  /** Makes up for the kills that found no moment, because the work was over before. */
  async finish(): Promise<void> {
    await this.#present;
    while (this.#kills < SHARES.length) await this.#kill();
  }

  async #kill(): Promise<void> {
    this.#isKilling = true;
    const worker = await this.#params.pool.killBusiest();
    await this.#params.onKilled(worker, ++this.#kills);
    this.#isKilling = false;
  }
}
