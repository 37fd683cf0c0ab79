import fc from 'fast-check';
import { describe, it } from 'vitest';
import { describeStorage } from '../../src/testing/describe-storage.ts';
import { describeStorageModel } from '../../src/testing/describe-storage-model.ts';
import { createLmdbHarness } from './lmdb-harness.ts';

for (const commitMode of ['thread', 'inline'] as const) {
  const harness = createLmdbHarness(commitMode);
  describeStorage(`LmdbStorage, commits: ${commitMode}`, harness, { describe, it });
  describeStorageModel(`LmdbStorage, commits: ${commitMode}`, harness, { describe, it, fc });
}
