import type { AttemptRecord, JobRecord } from '../../core/job.ts';
import { isJobId } from '../../core/job-id.ts';
import type { ListJobsParams, ListJobsResult, NameCounts } from '../../core/storage.ts';
import { laneOfRow, readAttempt, readRecord, readSummary } from './job-columns.ts';
import type { Lanes } from './lanes.ts';
import { getAttemptsQuery, getJobsQuery } from './operations/get-jobs.ts';
import { countChildrenQuery, countMatching, countsQuery, listJobsQuery, readCounts } from './operations/list-jobs.ts';
import type { Row, RunQuery } from './query.ts';

/** Jobs that one statement reads whole. */
const READ_BATCH = 100;

/** What jobs are there, and how they are. */
export class Reads {
  readonly #run: RunQuery;
  readonly #lanes: Lanes;

  constructor(run: RunQuery, lanes: Lanes) {
    this.#run = run;
    this.#lanes = lanes;
  }

  async getJobs(jobIds: readonly string[]): Promise<(JobRecord | null)[]> {
    if (jobIds.length === 0) return [];
    const rows: Row[] = [];
    // In parts, since each of them may have large arguments and a large result.
    for (let start = 0; start < jobIds.length; start += READ_BATCH) {
      rows.push(...(await this.#run(getJobsQuery(jobIds.slice(start, start + READ_BATCH)))));
    }
    await this.#lanes.learn(rows.map(laneOfRow));
    const rowById = new Map(rows.map((row) => [row[0], row]));
    return jobIds.map((id) => {
      const row = rowById.get(id);
      return row === undefined ? null : readRecord(row, this.#lanes);
    });
  }

  async getAttempts(jobId: string): Promise<AttemptRecord[]> {
    return isJobId(jobId) ? (await this.#run(getAttemptsQuery(jobId))).map(readAttempt) : [];
  }

  async listJobs(params: ListJobsParams): Promise<ListJobsResult> {
    const nameIds = params.names === null ? null : await this.#lanes.nameIdsOf(params.names);
    const total = await this.#count(params, nameIds);
    if (total === 0) return { jobs: [], total };
    const rows = await this.#run(listJobsQuery(params, nameIds, total));
    await this.#lanes.learn(rows.map(laneOfRow));
    return { jobs: rows.map((row) => readSummary(row, this.#lanes)), total };
  }

  async counts(): Promise<NameCounts[]> {
    return readCounts(await this.#run(countsQuery()));
  }

  async #count(params: ListJobsParams, nameIds: readonly number[] | null): Promise<number> {
    if (params.parentId === null) return countMatching(params, await this.counts());
    if (!isJobId(params.parentId) || params.states?.length === 0) return 0;
    const [row] = await this.#run(countChildrenQuery(params, nameIds));
    return Number(row?.[0]);
  }
}
