import assert from 'node:assert/strict';
import type { Storage, StorageHint } from '../core/storage.ts';
import type { RuleContext } from './rule-context.ts';

/** How long a hint may take in real time before the rule that waits for it fails. */
const HINT_DEADLINE_MS = 4000;

export interface HintCollector {
  readonly hints: readonly StorageHint[];
  /** Resolves with the first hint, past or coming, that `matches`; moves the clock while it waits. */
  until(context: RuleContext, matches: (hint: StorageHint) => boolean): Promise<StorageHint>;
  stop(): void;
}

export function collectHints(storage: Storage): HintCollector {
  const hints: StorageHint[] = [];
  const stop = storage.watch((hint) => void hints.push(hint));
  return {
    hints,
    stop,
    async until(context, matches) {
      const deadline = performance.now() + HINT_DEADLINE_MS;
      for (;;) {
        const found = hints.find(matches);
        if (found !== undefined) return found;
        assert.ok(performance.now() < deadline, `no such hint came; what came: ${JSON.stringify(hints)}`);
        await context.advance(1);
      }
    },
  };
}

export function isWorkHint(name: string): (hint: StorageHint) => boolean {
  return (hint) => hint.kind === 'work' && (hint.names === null || hint.names.includes(name));
}

export function isFinishedHint(jobId: string): (hint: StorageHint) => boolean {
  return (hint) => hint.kind === 'finished' && (hint.jobIds === null || hint.jobIds.includes(jobId));
}

export function isSignalsHint(jobId: string): (hint: StorageHint) => boolean {
  return (hint) => hint.kind === 'signals' && (hint.jobIds === null || hint.jobIds.includes(jobId));
}
