import { isFinished } from '../../../core/job.ts';
import { LIMITS } from '../../../core/options.ts';
import type { GetSignalsParams, NewSignal, SignalResult, StoredSignal } from '../../../core/step-operations.ts';
import { decodeJob, EMPTY } from '../job-codec.ts';
import { jobKey, parseJobId } from '../keys.ts';
import { decodeSignal, encodeSignal } from '../step-codec.ts';
import { PAGE_BYTES, type Tree } from '../tree.ts';
import { wake } from '../waits.ts';
import { signalIdKey, signalKey, signalRange } from '../workflow-keys.ts';
import type { WriteTransaction } from '../write-transaction.ts';

export function signal(transaction: WriteTransaction, signals: readonly NewSignal[], now: number): SignalResult[] {
  return signals.map((one) => signalOne(transaction, one, now));
}

function signalOne(transaction: WriteTransaction, { jobId, ...sent }: NewSignal, now: number): SignalResult {
  const { tree } = transaction;
  const id = parseJobId(jobId);
  const bytes = tree.get(jobKey(id));
  if (bytes === undefined) return { status: 'not_found' };
  const idKey = signalIdKey(id, parseJobId(sent.id));
  if (tree.get(idKey) !== undefined) return { status: 'stored' };
  const job = decodeJob(bytes);
  if (isFinished(job.state) || job.signalCount >= LIMITS.signals) return { status: 'refused', state: job.state };
  tree.put(idKey, EMPTY);
  tree.put(signalKey(id, job.signalCount), encodeSignal(sent));
  job.signalCount++;
  transaction.putJob(id, job);
  if (job.signalsSeen !== null && job.signalCount > job.signalsSeen) wake(transaction, id, job, now);
  transaction.signalledIds.push(id);
  return { status: 'stored' };
}

export function getSignals(tree: Tree, { jobId, from, limit }: Readonly<GetSignalsParams>): StoredSignal[] {
  const range = signalRange(parseJobId(jobId), from);
  return tree.scan({ ...range, limit, enoughBytes: PAGE_BYTES }).map(({ value }) => decodeSignal(value));
}
