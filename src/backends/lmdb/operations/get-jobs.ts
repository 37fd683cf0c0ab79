import { type AttemptRecord, type JobRecord, type JobSummary, MAX_ATTEMPT_HISTORY } from '../../../core/job.ts';
import { decodeAttempt } from '../attempt-codec.ts';
import { decodeJob, type StoredJob, toJobRecord } from '../job-codec.ts';
import { attemptRange, type JobId, jobKey, parseJobId, payloadKey } from '../keys.ts';
import type { NameIndex } from '../names.ts';
import type { Tree } from '../tree.ts';

export function getJobs(tree: Tree, names: NameIndex, jobIds: readonly string[]): (JobRecord | null)[] {
  return jobIds.map((jobId) => {
    const id = parseJobId(jobId);
    const bytes = tree.get(jobKey(id));
    if (bytes === undefined) return null;
    const job = decodeJob(bytes);
    return toJobRecord(jobId, names.nameOf(tree, job.nameId), job, readLargeArgs(tree, id, job));
  });
}

/** For lists: a job without its payloads, which can be large. */
export function toJobSummary(id: string, name: string, job: StoredJob): JobSummary {
  const { args: _args, result: _result, ...summary } = toJobRecord(id, name, job, null);
  return summary;
}

export function getAttempts(tree: Tree, jobId: string): AttemptRecord[] {
  const range = attemptRange(parseJobId(jobId));
  return tree.scan({ ...range, limit: MAX_ATTEMPT_HISTORY }).map(({ value }) => decodeAttempt(value));
}

export function readLargeArgs(tree: Tree, id: JobId, job: StoredJob): Buffer | null {
  return job.args === null ? (tree.get(payloadKey(id)) as Buffer) : null;
}
