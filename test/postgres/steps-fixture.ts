import { expect } from 'vitest';
import type { JobRecord, Lease } from '../../src/core/job.ts';
import type { NewStep } from '../../src/core/step-operations.ts';
import type { NewJob, Settlement, SettleResult, Storage, Suspension } from '../../src/core/storage.ts';
import { ids } from '../processes/new-job.ts';
import { freshSchema, open, urlWith } from './postgres-fixture.ts';

export const BODY = new Uint8Array([1, 2, 3]);

export async function openTwo(schema = freshSchema()): Promise<[Storage, Storage]> {
  const url = urlWith({ schema, poolMax: '4' });
  return [await open(url), await open(url)];
}

export async function claim(storage: Storage, name: string, limit: number): Promise<Lease[]> {
  const token = ids.next();
  const { jobs } = await storage.claim({ workerId: 'w', leaseToken: token, names: [name], limit, leaseMs: 60_000 });
  return jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
}

/** Enqueues jobs and claims them. */
export async function start(storage: Storage, jobs: readonly NewJob[]): Promise<Lease[]> {
  await storage.enqueue({ jobs });
  const leases = await claim(storage, (jobs[0] as NewJob).name, jobs.length);
  expect(leases).toHaveLength(jobs.length);
  return leases;
}

export function call(child: NewJob): NewStep {
  return { body: BODY, child };
}

export function suspension(lease: Lease, awaits: readonly string[], change: Partial<Suspension> = {}): Settlement {
  return { lease, outcome: { kind: 'suspend', wakeAt: null, awaits, signalsSeen: null, ...change } };
}

export async function settle(storage: Storage, ...settlements: Settlement[]): Promise<SettleResult[]> {
  return storage.settle({ settlements });
}

export function success(lease: Lease): Settlement {
  return { lease, outcome: { kind: 'success', result: null } };
}

export async function record(
  storage: Storage,
  lease: Lease,
  steps: readonly NewStep[],
  from = 0,
): Promise<(string | null)[]> {
  const [result] = await storage.recordSteps({ recordings: [{ lease, from, steps }] });
  if (result?.status !== 'recorded') throw new Error('the lease was lost');
  return [...result.jobIds];
}

export async function get(storage: Storage, jobId: string): Promise<JobRecord> {
  const [job] = await storage.getJobs({ jobIds: [jobId] });
  if (job === null || job === undefined) throw new Error(`there is no job ${jobId}`);
  return job;
}
