import { describe, it } from 'vitest';
import { describeStorage } from '../../src/testing/describe-storage.ts';
import { createLmdbHarness } from './lmdb-harness.ts';

describeStorage('LmdbStorage, commits on a thread', createLmdbHarness('thread'), { describe, it });
describeStorage('LmdbStorage, commits inline', createLmdbHarness('inline'), { describe, it });
