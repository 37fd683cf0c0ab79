export { describeStorage } from './describe-storage.ts';
export { describeStorageModel, type FastCheck, type StorageModelParams } from './describe-storage-model.ts';
export { DrivenRuntime, type DrivenRuntimeParams } from './driven-runtime.ts';
export { createMemoryHarness } from './memory-harness.ts';
export type {
  OpenTransaction,
  StorageCapabilities,
  StorageFixture,
  StorageHarness,
  TestFunctions,
} from './storage-harness.ts';
export { trackStorage } from './track-storage.ts';
