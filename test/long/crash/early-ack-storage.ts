import type { EnqueueParams, EnqueueResult, Storage } from '../../../src/core/storage.ts';

/** A planted bug: an enqueue that is acknowledged before it is stored. The crash test has to find it. */
export function acknowledgeEarly(storage: Storage): Pick<Storage, 'enqueue'> {
  return {
    async enqueue(params: Readonly<EnqueueParams>): Promise<EnqueueResult[]> {
      storage.enqueue(params).catch(() => {});
      return params.jobs.map(({ id }) => ({ jobId: id, deduplicated: false }));
    },
  };
}
