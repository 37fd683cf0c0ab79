import { JobIdGenerator } from '../src/core/job-id.ts';
import { DEFAULT_JOB_OPTIONS } from '../src/core/options.ts';
import { encodePayload } from '../src/core/payload.ts';
import { createSystemRuntime } from '../src/core/runtime.ts';
import type { NewJob } from '../src/core/storage.ts';
import { ARGUMENTS, JOB_NAME } from './workload.ts';

export const runtime = createSystemRuntime();
export const ids = new JobIdGenerator(runtime);
const args = encodePayload(ARGUMENTS, 'args');

/** Jobs of the workload, for the storage itself. */
export function newJobs(count: number): NewJob[] {
  return Array.from({ length: count }, () => ({
    id: ids.next(),
    name: JOB_NAME,
    args,
    options: DEFAULT_JOB_OPTIONS,
    priority: 0,
    idempotencyKey: null,
    delayMs: null,
    runAt: null,
  }));
}
