import { JobCancelledError, JobFailedError, ReseolioError } from '../core/errors.ts';
import {
  type AttemptRecord,
  type FinishedJob,
  isFinished,
  type JobRecord,
  type JobState,
  type JobSummary,
} from '../core/job.ts';
import { isJobId, type JobIdGenerator } from '../core/job-id.ts';
import { describeValue, LIMITS } from '../core/options.ts';
import { decodePayload, encodePayload } from '../core/payload.ts';
import type { ChangeResult, NameCounts, Storage } from '../core/storage.ts';
import { awaitJob } from '../workflow/await-job.ts';
import { currentContext, workflowOn } from '../workflow/current-job.ts';
import { assertRequestName } from '../workflow/request-name.ts';
import { cancelJob } from './cancel-job.ts';
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

export interface JobAccessParams {
  /** Throws while the client is not started. */
  readonly source: () => JobSource;
  readonly ids: JobIdGenerator;
  readonly maxPayloadBytes: number;
}

/** Reads and changes stored jobs. */
export class JobAccess {
  readonly #params: JobAccessParams;
  readonly #source: () => JobSource;

  constructor(params: JobAccessParams) {
    this.#params = params;
    this.#source = params.source;
  }

  async awaitResult(jobId: string, timeoutMs: number | undefined): Promise<unknown> {
    const job = await waitForJob(this.#source(), jobId, timeoutMs === undefined ? null : checkedTimeout(timeoutMs));
    switch (job.state) {
      case 'dead':
        throw new JobFailedError(jobId, job.attempt, job.error ?? UNKNOWN_ERROR);
      case 'cancelled':
        throw new JobCancelledError(jobId);
      default:
        return decodePayload(job.result);
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

  /** Resolves with true if the job was pending and is cancelled now, or has been asked to stop. */
  async cancel(jobId: string, isRunningIncluded: boolean): Promise<boolean> {
    const { storage } = this.#source();
    assertJobId(jobId);
    const { status } = await cancelJob(storage, jobId, isRunningIncluded);
    if (status === 'not_found') throw jobNotFound(jobId);
    return status !== 'refused';
  }

  /** Resolves once the signal is durable. */
  async signal(jobId: string, name: string, payload: unknown): Promise<void> {
    const { storage } = this.#source();
    const { ids, maxPayloadBytes } = this.#params;
    assertJobId(jobId);
    assertRequestName('a signal', name);
    const packed = payload === undefined ? null : encodePayload(payload, 'payload', maxPayloadBytes);
    const [result] = await storage.signal({ signals: [{ id: ids.next(), jobId, name, payload: packed }] });
    if (result === undefined || result.status === 'not_found') throw jobNotFound(jobId);
    if (result.status === 'refused') throw signalRefused(jobId, result.state);
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

/** In a handler the wait gives back the slot, and what it comes to is remembered. */
async function waitForJob(
  { storage, waiter }: JobSource,
  jobId: string,
  timeoutMs: number | null,
): Promise<FinishedJob> {
  const workflow = workflowOn(storage);
  if (workflow === null) {
    const context = currentContext();
    if (context === null || context.stay === null) return waiter.wait(jobId, timeoutMs);
    return context.stay.wait(waiter.wait(jobId, timeoutMs, context.current.signal));
  }
  const job = await awaitJob(workflow, jobId, timeoutMs);
  if (job === null) throw jobNotFound(jobId);
  return job;
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

function signalRefused(jobId: string, state: JobState): ReseolioError {
  if (isFinished(state)) {
    return new ReseolioError('job_finished', `job ${jobId} is ${state}: it takes no signals any more`);
  }
  return new ReseolioError('step_limit', `job ${jobId} was sent ${LIMITS.signals} signals already: it takes no more`);
}
