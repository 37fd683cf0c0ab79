import fc from 'fast-check';
import { afterAll, describe, inject, it } from 'vitest';
import { describeStorage } from '../../src/testing/describe-storage.ts';
import { describeStorageModel } from '../../src/testing/describe-storage-model.ts';
import { createPostgresHarness } from './postgres-harness.ts';

for (const { name, url } of inject('postgresServers')) {
  const harness = createPostgresHarness(url);
  afterAll(() => harness.close());
  describeStorage(`PostgresStorage on ${name}`, harness, { describe, it });
  describeStorageModel(`PostgresStorage on ${name}`, harness, { describe, it, fc, runs: 2 });
}
