import type { StorageHarness, TestFunctions } from './storage-harness.ts';
import { runRule, selectRules } from './storage-rules.ts';

/**
 * Registers a test for every rule of the storage contract that a storage of the harness's capabilities must keep.
 *
 * ```ts
 * import { describe, it } from 'vitest';
 * describeStorage('my storage', harness, { describe, it });
 * ```
 */
export function describeStorage(
  name: string,
  harness: StorageHarness,
  { describe, it }: Readonly<TestFunctions>,
): void {
  describe(name, () => {
    for (const { topic, rules } of selectRules(harness.capabilities)) {
      describe(topic, () => {
        for (const [sentence, rule] of Object.entries(rules)) it(sentence, () => runRule(harness, rule));
      });
    }
  });
}
