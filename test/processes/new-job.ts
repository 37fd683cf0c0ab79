import { JobIdGenerator } from '../../src/core/job-id.ts';
import { DEFAULT_JOB_OPTIONS } from '../../src/core/options.ts';
import { encodePayload } from '../../src/core/payload.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import type { NewJob } from '../../src/core/storage.ts';

export const ids = new JobIdGenerator(createSystemRuntime());

/** A job that is due now; `change` what matters. */
export function newJob(change: Partial<NewJob> = {}): NewJob {
  return {
    id: ids.next(),
    name: 'test:job',
    args: encodePayload([], 'args'),
    options: DEFAULT_JOB_OPTIONS,
    priority: 0,
    idempotencyKey: null,
    delayMs: null,
    runAt: null,
    ...change,
  };
}
