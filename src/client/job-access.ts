import { JobCancelledError, JobFailedError, ReseolioError } from '../core/errors.ts';
import type { AttemptRecord, JobRecord, JobState, JobSummary } from '../core/job.ts';
import { isJobId } from '../core/job-id.ts';
import { describeValue, LIMITS } from '../core/options.ts';
import { decodePayload } from '../core/payload.ts';
import type { ChangeResult, NameCounts, Storage } from '../core/storage.ts';
import { type ListJobsQuery, resolveListJobsQuery } from './list-jobs-query.ts';
import type { ResultWaiter } from './result-waiter.ts';

/** A job as lists show it, without its payloads. Times are Unix milliseconds on the storage's clock. */
export interface JobOverview extends Omit<JobSummary, 'state'> {
  readonly status: JobState;
}

/** A page of jobs. */
export interface JobList {
  readonly jobs: JobOverview[];
  /** How many jobs the filter matches, on all pages. */
  readonly total: number;
}

/** All that is known of a job. */
export interface JobDetails<Result = unknown> extends JobOverview {
  readonly args: readonly unknown[];
  /** `undefined` until the job is a success, and if its handler returned nothing. */
  readonly result: Result | undefined;
  /** The attempts that failed or were lost, oldest first, the last 20. */
  readonly history: readonly AttemptRecord[];
}

/** What is needed of a started client to get at jobs. */
export interface JobSource {
  readonly storage: Storage;
  readonly waiter: ResultWaiter;
}

/** Reads and changes stored jobs. `source` throws while the client is not started. */
export class JobAccess {
  readonly #source: () => JobSource;

  constructor(source: () => JobSource) {
    this.#source = source;
  }

  async awaitResult(jobId: string, timeoutMs: number | undefined): Promise<unknown> {
    const { waiter } = this.#source();
    const record = await waiter.wait(jobId, timeoutMs === undefined ? null : checkedTimeout(timeoutMs));
    switch (record.state) {
      case 'dead':
        throw new JobFailedError(jobId, record.attempt, record.error ?? UNKNOWN_ERROR);
      case 'cancelled':
        throw new JobCancelledError(jobId);
      default:
        return decodePayload(record.result);
    }
  }

  async readStatus(jobId: string): Promise<JobState> {
    const record = await this.#read(this.#source().storage, jobId);
    if (record === null) throw jobNotFound(jobId);
    return record.state;
  }

  /** Resolves with null for a job that is not there. */
  async readDetails(jobId: string): Promise<JobDetails | null> {
    const { storage } = this.#source();
    assertJobId(jobId);
    const [record, history] = await Promise.all([this.#read(storage, jobId), storage.getAttempts({ jobId })]);
    if (record === null) return null;
    const args = decodePayload(record.args);
    return {
      ...toOverview(record),
      args: Array.isArray(args) ? args : [args],
      result: decodePayload(record.result),
      history,
    };
  }

  /** Resolves with true if the job was pending and is cancelled now. */
  async cancel(jobId: string): Promise<boolean> {
    const { storage } = this.#source();
    assertJobId(jobId);
    return isChanged(jobId, await storage.cancel({ jobIds: [jobId], isRunningIncluded: false }));
  }

  /** Resolves with true if the job was dead and is pending now. */
  async retry(jobId: string): Promise<boolean> {
    const { storage } = this.#source();
    assertJobId(jobId);
    return isChanged(jobId, await storage.retry({ jobIds: [jobId] }));
  }

  async list(query: ListJobsQuery): Promise<JobList> {
    const { storage } = this.#source();
    const { jobs, total } = await storage.listJobs(resolveListJobsQuery(query));
    return { jobs: jobs.map(toOverview), total };
  }

  async counts(): Promise<NameCounts[]> {
    return this.#source().storage.counts();
  }

  async #read(storage: Storage, jobId: string): Promise<JobRecord | null> {
    const [record = null] = await storage.getJobs({ jobIds: [jobId] });
    return record;
  }
}

/** Storages speak of the state of a job; what users see is called its status, as in `status()`. */
function toOverview<Job extends JobSummary>({ state, ...job }: Job): Omit<Job, 'state'> & { status: JobState } {
  return { ...job, status: state };
}

const UNKNOWN_ERROR = { name: 'Error', message: 'the job ended dead', stack: null };

/** Throws `invalid_argument` unless `jobId` can be the id of a job. */
export function assertJobId(jobId: unknown): void {
  if (!isJobId(jobId)) {
    throw new ReseolioError('invalid_argument', `${describeValue(jobId)} is no job id: pass the jobId of a handle`);
  }
}

export function jobNotFound(jobId: string): ReseolioError {
  return new ReseolioError('job_not_found', `there is no job ${jobId}: it may have been pruned`);
}

function checkedTimeout(timeoutMs: unknown): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= LIMITS.timeoutMs) return timeoutMs;
  throw new ReseolioError(
    'invalid_argument',
    `result() was given ${describeValue(timeoutMs)}: pass milliseconds from 0 to ${LIMITS.timeoutMs}, or nothing`,
  );
}

function isChanged(jobId: string, [result]: readonly ChangeResult[]): boolean {
  if (result === undefined || result.status === 'not_found') throw jobNotFound(jobId);
  return result.status === 'changed';
}
