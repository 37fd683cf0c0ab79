import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import { describeValue, LIMITS, type ResolvedCallOptions } from '../core/options.ts';
import { encodePayload } from '../core/payload.ts';
import type { SqlTransaction } from '../core/sql-transaction.ts';
import type { EnqueueResult, NewJob } from '../core/storage.ts';
import type { EventSink } from '../worker/event-hub.ts';
import { callJobs } from '../workflow/call-jobs.ts';
import { workflowOn } from '../workflow/current-job.ts';
import type { ReseolioEvents } from './client-events.ts';
import type { JobAccess, JobSource } from './job-access.ts';
import { JobHandle } from './job-handle.ts';

export interface EnqueuerParams {
  /** Throws while the client is not started. */
  readonly source: () => JobSource;
  readonly access: JobAccess;
  readonly ids: JobIdGenerator;
  readonly events: EventSink<ReseolioEvents>;
  readonly maxPayloadBytes: number;
}

/** Makes durable jobs of calls. What is wrong with a call is found before anything is stored. */
export class Enqueuer {
  readonly #params: EnqueuerParams;

  constructor(params: EnqueuerParams) {
    this.#params = params;
  }

  async enqueue<Result>(
    name: string,
    args: readonly unknown[],
    options: ResolvedCallOptions,
  ): Promise<JobHandle<Result>> {
    const source = this.#params.source();
    const job = this.#createJob(name, args, options, 'args');
    const [result] = await store(source, [job], options.tx);
    return this.#createHandle(job, result as EnqueueResult);
  }

  async enqueueMany<Result>(
    name: string,
    calls: readonly (readonly unknown[])[],
    options: ResolvedCallOptions,
  ): Promise<JobHandle<Result>[]> {
    const source = this.#params.source();
    if (!Array.isArray(calls) || calls.length > LIMITS.batchJobs) {
      const given = Array.isArray(calls) ? `${calls.length} calls` : describeValue(calls);
      throw invalid(`enqueueMany was given ${given}: pass an array of at most ${LIMITS.batchJobs} argument lists`);
    }
    let bytes = 0;
    // map() would leave out the holes of an array, and with them calls.
    const jobs = Array.from(calls, (args, index) => {
      const job = this.#createJob(name, args, options, `calls[${index}]`);
      bytes += job.args.bytes.length;
      return job;
    });
    if (bytes > LIMITS.batchBytes) {
      throw new ReseolioError(
        'payload_too_large',
        `the arguments of all calls take ${bytes} bytes; the limit is ${LIMITS.batchBytes}: use several enqueueMany`,
      );
    }
    if (jobs.length === 0) return [];
    const results = await store(source, jobs, options.tx);
    return jobs.map((job, index) => this.#createHandle(job, results[index] as EnqueueResult));
  }

  #createJob(name: string, args: readonly unknown[], call: ResolvedCallOptions, path: string): NewJob {
    if (!Array.isArray(args)) throw invalid(`${path} is ${describeValue(args)}: pass the arguments as an array`);
    return {
      id: this.#params.ids.next(),
      name,
      args: encodePayload(args, path, this.#params.maxPayloadBytes),
      options: call.options,
      priority: call.priority,
      idempotencyKey: call.idempotencyKey,
      delayMs: call.delayMs,
      runAt: call.runAt,
    };
  }

  #createHandle<Result>({ name, idempotencyKey }: NewJob, result: EnqueueResult): JobHandle<Result> {
    const { access, events } = this.#params;
    const { jobId, deduplicated } = result;
    if (deduplicated && idempotencyKey !== null) events.emit('deduplicated', { jobId, name, idempotencyKey });
    return new JobHandle<Result>(access, jobId, deduplicated);
  }
}

async function store(
  { storage, waiter }: JobSource,
  jobs: NewJob[],
  tx: SqlTransaction | null,
): Promise<EnqueueResult[]> {
  if (tx !== null) return storage.enqueueInTransaction({ jobs, transaction: tx });
  const workflow = workflowOn(storage);
  if (workflow !== null) return callJobs(workflow, jobs);
  for (const { id } of jobs) waiter.expect(id);
  try {
    const results = await storage.enqueue({ jobs });
    for (const [i, { deduplicated }] of results.entries()) if (deduplicated) waiter.unexpect((jobs[i] as NewJob).id);
    return results;
  } catch (error) {
    for (const { id } of jobs) waiter.unexpect(id);
    throw error;
  }
}

function invalid(message: string): ReseolioError {
  return new ReseolioError('invalid_argument', message);
}
