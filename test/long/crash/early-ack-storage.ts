import type { EnqueueParams, EnqueueResult, Storage } from '../../../src/core/storage.ts';

/** A planted bug: an enqueue that is acknowledged before it is stored. The crash test has to find it. */
export function acknowledgeEarly(storage: Storage): Pick<Storage, 'enqueue'> {
  return {
    async enqueue(params: Readonly<EnqueueParams>): Promise<EnqueueResult[]> {
      void storage.enqueue(params);
      return params.jobs.map(({ id }) => ({ jobId: id, deduplicated: false }));
    },
  };
}
