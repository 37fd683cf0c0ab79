import { status } from '@grpc/grpc-js';
import { cancelJob } from '../client/cancel-job.ts';
import type { ResultWaiter } from '../client/result-waiter.ts';
import { ReseolioError } from '../core/errors.ts';
import { isFinished, type JobState } from '../core/job.ts';
import { isJobId, type JobIdGenerator } from '../core/job-id.ts';
import { assertIdempotencyKey, assertJobName, assertNumber, describeValue, LIMITS } from '../core/options.ts';
import type { ChangeResult, EnqueueResult, ListJobsParams, NewJob, Storage } from '../core/storage.ts';
import { readJsonArgs } from './json-payload.ts';
import { StatusError } from './service-errors.ts';
import type {
  ChangeResponse,
  EnqueueRequest,
  EnqueueResponse,
  JobRequest,
  ListJobsRequest,
  ListJobsResponse,
  WireJob,
} from './wire-messages.ts';
import { readWireOptions, stateOfStatus, writeWireJob } from './wire-records.ts';

const DEFAULT_PAGE = 100;
const NO_PAYLOADS = { args: null, result: null };

export interface JobCallsParams {
  readonly storage: Storage;
  readonly waiter: ResultWaiter;
  readonly ids: JobIdGenerator;
  readonly maxPayloadBytes: number;
}

/** The calls of the protocol that are about one job or a list of them. */
export class JobCalls {
  readonly #params: JobCallsParams;

  constructor(params: JobCallsParams) {
    this.#params = params;
  }

  async enqueue({ name, args, options, idempotencyKey }: EnqueueRequest): Promise<EnqueueResponse> {
    const { waiter, ids, maxPayloadBytes } = this.#params;
    assertJobName(name);
    if (idempotencyKey !== '') assertKey(idempotencyKey);
    const job: NewJob = {
      id: ids.next(),
      name,
      args: readJsonArgs(args, maxPayloadBytes),
      options: readWireOptions(options),
      priority: 0,
      idempotencyKey: idempotencyKey === '' ? null : idempotencyKey,
      delayMs: null,
      runAt: null,
    };
    // Whoever subscribes to it next need not look whether it has ended.
    waiter.expect(job.id);
    const result = await this.#store(job);
    if (result.deduplicated) waiter.unexpect(job.id);
    return result;
  }

  async #store(job: NewJob): Promise<EnqueueResult> {
    const { storage, waiter } = this.#params;
    try {
      const [result] = await storage.enqueue({ jobs: [job] });
      return result as EnqueueResult;
    } catch (error) {
      waiter.unexpect(job.id);
      throw error;
    }
  }

  async get({ jobId }: JobRequest): Promise<WireJob> {
    const [job] = isJobId(jobId) ? await this.#params.storage.getJobs({ jobIds: [jobId] }) : [];
    if (job === undefined || job === null) throw noSuchJob(jobId);
    return writeWireJob(job, job);
  }

  async cancel({ jobId }: JobRequest): Promise<ChangeResponse> {
    const result = isJobId(jobId) ? await cancelJob(this.#params.storage, jobId, false) : undefined;
    return answerChange(result, jobId, 'cancelled', (state) =>
      isFinished(state) ? `it has ended: ${state}` : 'it is running',
    );
  }

  async retry({ jobId }: JobRequest): Promise<ChangeResponse> {
    const { storage } = this.#params;
    const [result] = isJobId(jobId) ? await storage.retry({ jobIds: [jobId] }) : [];
    return answerChange(result, jobId, 'pending again', (state) => `only dead jobs are retried, and it is ${state}`);
  }

  async list(request: ListJobsRequest): Promise<ListJobsResponse> {
    const { jobs, total } = await this.#params.storage.listJobs(readListRequest(request));
    return { jobs: jobs.map((job) => writeWireJob(job, NO_PAYLOADS)), total };
  }
}

/** What is no UTF-8 is read as replacement characters, and all such keys would be one. */
function assertKey(key: string): void {
  if (key.includes('\ufffd')) {
    throw new ReseolioError(
      'invalid_idempotency_key',
      `idempotency_key is no UTF-8, or has U+FFFD: ${describeValue(key)}`,
    );
  }
  assertIdempotencyKey(key);
}

function readListRequest({ statuses, names, limit, offset, orderBy, ascending }: ListJobsRequest): ListJobsParams {
  if (statuses.length > LIMITS.listPage || names.length > LIMITS.listPage) {
    throw new StatusError(status.INVALID_ARGUMENT, `a list takes ${LIMITS.listPage} statuses and names at most`);
  }
  for (const name of names) assertJobName(name);
  assertNumber('limit', limit, 0, Number.MAX_SAFE_INTEGER, true);
  assertNumber('offset', offset, 0, LIMITS.listOffset, true);
  return {
    states: statuses.length === 0 ? null : statuses.map(stateOfStatus).filter((state) => state !== null),
    names: names.length === 0 ? null : names,
    parentId: null,
    limit: Math.min(limit === 0 ? DEFAULT_PAGE : limit, LIMITS.listPage),
    offset,
    orderBy: readOrder(orderBy),
    isAscending: ascending,
  };
}

function readOrder(orderBy: string): 'createdAt' | 'scheduledAt' {
  if (orderBy === '' || orderBy === 'created_at') return 'createdAt';
  if (orderBy === 'scheduled_at') return 'scheduledAt';
  throw new StatusError(
    status.INVALID_ARGUMENT,
    `order_by is ${describeValue(orderBy)}: use created_at or scheduled_at`,
  );
}

/** What is refused is answered, not rejected. */
function answerChange(
  result: ChangeResult | undefined,
  jobId: string,
  done: string,
  explain: (state: JobState) => string,
): ChangeResponse {
  if (result?.status === 'changed') return { success: true, message: `job ${jobId} is ${done}` };
  if (result?.status === 'refused') return { success: false, message: explain(result.state) };
  return { success: false, message: `there is no job ${describeValue(jobId)}` };
}

function noSuchJob(jobId: string): StatusError {
  return new StatusError(status.NOT_FOUND, `there is no job ${describeValue(jobId)}`);
}
