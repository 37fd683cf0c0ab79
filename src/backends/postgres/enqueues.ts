import { ReseolioError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { SqlTransaction } from '../../core/sql-transaction.ts';
import type { EnqueueResult, NewJob } from '../../core/storage.ts';
import { type Call, GroupCommit, splitResults } from './group-commit.ts';
import { HeldUpCalls } from './held-up-calls.ts';
import type { Lanes } from './lanes.ts';
import {
  enqueueInTransactionQuery,
  enqueueJobQuery,
  enqueueJobsQuery,
  readEnqueued,
  readTransactionRows,
} from './operations/enqueue.ts';
import type { CommitSetting, RunQuery } from './query.ts';
import { inSchema } from './schema-name.ts';

/** One statement waits for the disk while the next is put together. */
const MAX_IN_FLIGHT = 2;
/** How long the lock under which lanes are added is waited for. */
const LANE_WAIT_MS = 100;

export interface EnqueuesParams {
  readonly run: RunQuery;
  readonly runtime: Pick<Runtime, 'monotonicNow' | 'setTimer'>;
  /** How long a call may wait in all. */
  readonly timeoutMs: number;
  readonly lanes: Lanes;
  readonly commit: CommitSetting;
  readonly schema: string;
}

/** Stores jobs: those that wait while others are under way go together. */
export class Enqueues {
  readonly #params: EnqueuesParams;
  readonly #plain: GroupCommit<NewJob, EnqueueResult>;
  /** Calls with idempotency keys, which may have to wait for a transaction of the caller's that has stored the same key. */
  readonly #keyed: GroupCommit<NewJob, EnqueueResult>;

  constructor(params: EnqueuesParams) {
    this.#params = params;
    const heldUp = new HeldUpCalls(params.runtime, params.timeoutMs);
    const bytesOf = ({ args }: NewJob): number => args.bytes.length;
    const commit = async (calls: readonly Call<NewJob>[]): Promise<EnqueueResult[][]> =>
      splitResults(calls, await this.#store(calls.flat(), null));
    this.#plain = new GroupCommit({ commit, bytesOf, maxInFlight: MAX_IN_FLIGHT });
    const commitKeyed = (calls: readonly Call<NewJob>[]) =>
      heldUp.store(calls, (jobs, lockTimeoutMs) => this.#store(jobs, lockTimeoutMs));
    this.#keyed = new GroupCommit({ commit: commitKeyed, bytesOf, maxInFlight: MAX_IN_FLIGHT });
  }

  /** Resolves once the jobs are durable. */
  async enqueue(jobs: readonly NewJob[]): Promise<EnqueueResult[]> {
    const added = this.#params.lanes.ensure(jobs);
    if (added !== null) await added;
    const isKeyed = jobs.some(({ idempotencyKey }) => idempotencyKey !== null);
    return (isKeyed ? this.#keyed : this.#plain).submit(jobs);
  }

  /** Resolves once the jobs are part of the transaction. */
  async enqueueInTransaction(jobs: readonly NewJob[], transaction: SqlTransaction): Promise<EnqueueResult[]> {
    const { lanes, schema } = this.#params;
    assertNoPool(transaction);
    await this.#addLanesApart(jobs);
    // A snapshot of the transaction may be older than lanes that were just added.
    const known = lanes.knows(jobs) ? lanes : null;
    const { text, values } = enqueueInTransactionQuery(jobs, known, schema);
    const answer = await transaction.query(inSchema(schema, text), [...values]);
    return readEnqueued(jobs, readTransactionRows(answer));
  }

  /**
   * Adds lanes in a transaction of their own, so that nobody has to wait for the caller's. Where that itself has to wait,
   * for the caller's transaction perhaps, or for a connection of a pool that such transactions hold, it is left to the
   * caller's.
   */
  async #addLanesApart(jobs: readonly NewJob[]): Promise<void> {
    const { lanes, runtime } = this.#params;
    const adding = lanes.tryEnsure(jobs, LANE_WAIT_MS);
    if (adding === null) return;
    await new Promise<void>((resolve) => {
      const timer = runtime.setTimer(2 * LANE_WAIT_MS, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      adding.then(end, end);
    });
  }

  async #store(jobs: readonly NewJob[], lockTimeoutMs: number | null): Promise<EnqueueResult[]> {
    const { lanes } = this.#params;
    return lanes.using(jobs, () => this.#storeIn(lanes, jobs, lockTimeoutMs));
  }

  async #storeIn(lanes: Lanes, jobs: readonly NewJob[], lockTimeoutMs: number | null): Promise<EnqueueResult[]> {
    const { run, commit } = this.#params;
    const settings = { commit, lockTimeoutMs };
    const [job] = jobs;
    if (jobs.length === 1 && job !== undefined) {
      const [row] = await run(() => enqueueJobQuery(job, lanes, settings));
      if (row?.[0] === 't') return [{ jobId: job.id, deduplicated: false }];
    }
    return readEnqueued(jobs, await run(() => enqueueJobsQuery(jobs, lanes, settings)));
  }
}

/** Each query of a pool may go to another connection. */
function assertNoPool(transaction: SqlTransaction): void {
  if (!('totalCount' in transaction)) return;
  throw new ReseolioError('invalid_argument', 'tx is a pool: pass the client of it that began the transaction');
}
