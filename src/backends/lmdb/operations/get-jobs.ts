import { type AttemptRecord, type JobRecord, type JobSummary, MAX_ATTEMPT_HISTORY } from '../../../core/job.ts';
import { decodeAttempt } from '../attempt-codec.ts';
import { decodeJob, type StoredJob } from '../job-codec.ts';
import { type LargePayloads, toJobRecord } from '../job-record.ts';
import { attemptRange, type JobId, jobKey, largePayloadKey, parseJobId } from '../keys.ts';
import type { NameIndex } from '../names.ts';
import type { Tree } from '../tree.ts';

export function getJobs(tree: Tree, names: NameIndex, jobIds: readonly string[]): (JobRecord | null)[] {
  return jobIds.map((jobId) => {
    const id = parseJobId(jobId);
    const bytes = tree.get(jobKey(id));
    if (bytes === undefined) return null;
    const job = decodeJob(bytes);
    return toJobRecord(jobId, names.nameOf(tree, job.nameId), job, readLargePayloads(tree, id, job));
  });
}

/** For lists: a job without its payloads, which can be large. */
export function toJobSummary(id: string, name: string, job: StoredJob): JobSummary {
  const { args: _args, result: _result, ...summary } = toJobRecord(id, name, job, NO_PAYLOADS);
  return summary;
}

export function getAttempts(tree: Tree, jobId: string): AttemptRecord[] {
  const range = attemptRange(parseJobId(jobId));
  return tree.scan({ ...range, limit: MAX_ATTEMPT_HISTORY }).map(({ value }) => decodeAttempt(value));
}

export function readLargePayloads(tree: Tree, id: JobId, job: StoredJob): LargePayloads {
  const hasLargeResult = job.resultEncoding !== null && job.result === null;
  if (job.args !== null && !hasLargeResult) return NO_PAYLOADS;
  return {
    args: job.args === null ? (tree.get(largePayloadKey(id, 'args')) ?? null) : null,
    result: hasLargeResult ? (tree.get(largePayloadKey(id, 'result')) ?? null) : null,
  };
}

const NO_PAYLOADS: LargePayloads = { args: null, result: null };
