import { RuleContext } from './rule-context.ts';
import type { Rule, RuleGroup } from './rule-group.ts';
import { cancelRetryRules } from './rules/cancel-retry-rules.ts';
import { childRules } from './rules/child-rules.ts';
import { claimRules } from './rules/claim-rules.ts';
import { closeRules } from './rules/close-rules.ts';
import { countRules } from './rules/count-rules.ts';
import { enqueueRules } from './rules/enqueue-rules.ts';
import { firingRules } from './rules/firing-rules.ts';
import { idempotencyRules } from './rules/idempotency-rules.ts';
import { leaseRules } from './rules/lease-rules.ts';
import { limitRules } from './rules/limit-rules.ts';
import { persistenceRules } from './rules/persistence-rules.ts';
import { pruneRules } from './rules/prune-rules.ts';
import { readRules } from './rules/read-rules.ts';
import { reclaimRules } from './rules/reclaim-rules.ts';
import { scheduleRules } from './rules/schedule-rules.ts';
import { settleRules } from './rules/settle-rules.ts';
import { sharedRules } from './rules/shared-rules.ts';
import { sharedStepRules } from './rules/shared-step-rules.ts';
import { signalRules } from './rules/signal-rules.ts';
import { stepLimitRules } from './rules/step-limit-rules.ts';
import { stepPersistenceRules } from './rules/step-persistence-rules.ts';
import { stepRules } from './rules/step-rules.ts';
import { stopRules } from './rules/stop-rules.ts';
import { suspensionRules } from './rules/suspension-rules.ts';
import { transactionRules } from './rules/transaction-rules.ts';
import { waitCycleRules } from './rules/wait-cycle-rules.ts';
import { wakeRules } from './rules/wake-rules.ts';
import { watchRules } from './rules/watch-rules.ts';
import type { StorageCapabilities, StorageHarness } from './storage-harness.ts';

/** Every rule of the storage contract, by topic. */
export const STORAGE_RULES: readonly RuleGroup[] = [
  enqueueRules,
  idempotencyRules,
  claimRules,
  leaseRules,
  settleRules,
  reclaimRules,
  cancelRetryRules,
  stopRules,
  stepRules,
  childRules,
  suspensionRules,
  wakeRules,
  waitCycleRules,
  signalRules,
  readRules,
  countRules,
  pruneRules,
  scheduleRules,
  firingRules,
  watchRules,
  limitRules,
  stepLimitRules,
  closeRules,
  persistenceRules,
  stepPersistenceRules,
  sharedRules,
  sharedStepRules,
  transactionRules,
];

/** The groups that mean something for a storage of these capabilities. */
export function selectRules(capabilities: StorageCapabilities): RuleGroup[] {
  return STORAGE_RULES.filter(({ needs }) => needs === null || capabilities[needs]);
}

/** Runs one rule on a storage of its own; rejects if the storage breaks it. */
export async function runRule(harness: StorageHarness, rule: Rule): Promise<void> {
  const fixture = await harness.open();
  try {
    await rule(new RuleContext(fixture));
  } finally {
    await fixture.destroy();
  }
}
