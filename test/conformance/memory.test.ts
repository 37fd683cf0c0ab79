import { describe, it } from 'vitest';
import { createMemoryHarness } from '../../src/testing/memory-harness.ts';
import { describeStorage } from '../../src/testing/describe-storage.ts';

describeStorage('MemoryStorage', createMemoryHarness(), { describe, it });
