import fc from 'fast-check';
import { describe, it } from 'vitest';
import { describeStorage, describeStorageModel } from '../../src/testing/index.ts';
import { createMemoryHarness } from '../../src/testing/memory-harness.ts';
import { createSharedMemoryHarness } from './shared-memory-harness.ts';

describeStorage('MemoryStorage', createMemoryHarness(), { describe, it });
describeStorage('MemoryStorage behind several doors', createSharedMemoryHarness(), { describe, it });
describeStorageModel('MemoryStorage', createSharedMemoryHarness(), { describe, it, fc });
