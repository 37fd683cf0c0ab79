import type { SqlTransaction } from '../../core/sql-transaction.ts';
import type { EnqueueResult, NewJob } from '../../core/storage.ts';
import { GroupCommit } from './group-commit.ts';
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

export interface EnqueuesParams {
  readonly run: RunQuery;
  readonly lanes: Lanes;
  readonly commit: CommitSetting;
  readonly schema: string;
}

/** Stores jobs: those that wait while others are under way go together. */
export class Enqueues {
  readonly #params: EnqueuesParams;
  readonly #group: GroupCommit<NewJob, EnqueueResult>;

  constructor(params: EnqueuesParams) {
    this.#params = params;
    this.#group = new GroupCommit({
      commit: (jobs) => this.#commit(jobs),
      bytesOf: ({ args }) => args.bytes.length,
      maxInFlight: MAX_IN_FLIGHT,
    });
  }

  /** Resolves once the jobs are durable. */
  async enqueue(jobs: readonly NewJob[]): Promise<EnqueueResult[]> {
    const added = this.#params.lanes.ensure(jobs);
    if (added !== null) await added;
    return this.#group.submit(jobs);
  }

  /** Resolves once the jobs are part of the transaction. */
  async enqueueInTransaction(jobs: readonly NewJob[], transaction: SqlTransaction): Promise<EnqueueResult[]> {
    const { lanes, schema } = this.#params;
    const added = lanes.ensure(jobs);
    if (added !== null) await added;
    const { text, values } = enqueueInTransactionQuery(jobs, lanes, schema);
    const answer = await transaction.query(inSchema(schema, text), [...values]);
    return readEnqueued(jobs, readTransactionRows(answer));
  }

  async #commit(jobs: readonly NewJob[]): Promise<EnqueueResult[]> {
    const { run, lanes, commit } = this.#params;
    const [job] = jobs;
    if (jobs.length === 1 && job !== undefined) {
      const [row] = await run(enqueueJobQuery(job, lanes, commit));
      if (row?.[0] === 't') return [{ jobId: job.id, deduplicated: false }];
    }
    return readEnqueued(jobs, await run(enqueueJobsQuery(jobs, lanes, commit)));
  }
}
