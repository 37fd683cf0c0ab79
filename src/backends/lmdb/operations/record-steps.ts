import type {
  GetStepsParams,
  NewStep,
  RecordStepsResult,
  StepRecording,
  StoredStep,
} from '../../../core/step-operations.ts';
import { decodeJob, EMPTY } from '../job-codec.ts';
import { type JobId, jobKey, parseJobId } from '../keys.ts';
import { decodeStep, encodeStep } from '../step-codec.ts';
import { PAGE_BYTES, type Tree } from '../tree.ts';
import { stepKey, stepRange } from '../workflow-keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';
import { enqueueOne } from './enqueue.ts';
import { isHeldUnder } from './settle.ts';

export function recordSteps(
  transaction: WriteTransaction,
  recordings: readonly StepRecording[],
  now: number,
): RecordStepsResult[] {
  return recordings.map((recording) => recordOne(transaction, recording, now));
}

function recordOne(
  transaction: WriteTransaction,
  { lease, from, steps }: StepRecording,
  now: number,
): RecordStepsResult {
  const { tree } = transaction;
  const id = parseJobId(lease.jobId);
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return { status: 'lease_lost' };
  const job = decodeJob(bytes);
  if (!isHeldUnder(job, lease)) return { status: 'lease_lost' };
  const isRepeat = steps.length > 0 && from + steps.length <= job.stepCount;
  if (isRepeat) return { status: 'recorded', jobIds: readChildIds(tree, id, from, steps.length) };
  if (job.stepCount !== from) return { status: 'lease_lost' };
  if (steps.length === 0) return { status: 'recorded', jobIds: [] };
  const jobIds = steps.map((step, i) => addStep(transaction, id, from + i, step, now));
  job.stepCount = from + steps.length;
  transaction.putJob(id, job);
  return { status: 'recorded', jobIds };
}

function addStep(
  transaction: WriteTransaction,
  id: JobId,
  number: number,
  { body, child }: NewStep,
  now: number,
): string | null {
  const origin = { occurrence: EMPTY, parentId: id };
  const jobId = child === null ? null : enqueueOne(transaction, child, now, origin).jobId;
  transaction.tree.put(stepKey(id, number), encodeStep({ jobId, body }));
  return jobId;
}

function readChildIds(tree: Tree, id: JobId, from: number, count: number): (string | null)[] {
  return Array.from({ length: count }, (_, i) => decodeStep(tree.get(stepKey(id, from + i)) as Buffer).jobId);
}

export function getSteps(tree: Tree, { jobId, from, limit }: Readonly<GetStepsParams>): StoredStep[] {
  const range = stepRange(parseJobId(jobId), from);
  return tree.scan({ ...range, limit, enoughBytes: PAGE_BYTES }).map(({ value }) => decodeStep(value));
}
