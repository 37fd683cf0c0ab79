import type { RuleContext } from './rule-context.ts';
import type { StorageCapabilities } from './storage-harness.ts';

/** One behaviour: throws if the storage does not show it. */
export type Rule = (context: RuleContext) => Promise<void>;

/** The rules of one topic, by the sentence that each of them proves. */
export interface RuleGroup {
  readonly topic: string;
  /** The capability without which the rules mean nothing; null: they hold for every storage. */
  readonly needs: keyof StorageCapabilities | null;
  readonly rules: Readonly<Record<string, Rule>>;
}
