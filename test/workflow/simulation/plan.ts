import type { Chance } from './chance.ts';

/** What a handler does, and what comes of it. */
export type Block =
  /** A step that fails at first, `failures` times in a run; or, `isFatal`, for good. */
  | { readonly kind: 'step'; readonly workMs: number; readonly failures: number; readonly isFatal: boolean }
  | { readonly kind: 'sleep'; readonly ms: number }
  /** Calls a child that does `body`, but of which the first `deaths` end dead. */
  | {
      readonly kind: 'call';
      readonly body: Block;
      readonly deaths: number;
      readonly isAwaited: boolean;
      readonly timeoutMs: number | null;
    }
  /** Waits for a signal; `isShared`: of a name that others wait for too, of which as many are sent. */
  | {
      readonly kind: 'signal';
      readonly isShared: boolean;
      readonly timeoutMs: number | null;
      readonly sentAfterMs: number | null;
    }
  /** Nothing in old code; in new code a change that is versioned. */
  | { readonly kind: 'change' }
  /** The handler throws here, so many times. */
  | { readonly kind: 'throw'; readonly times: number }
  | { readonly kind: 'sequence' | 'parallel' | 'race' | 'settled'; readonly blocks: readonly Block[] }
  /** Does `rescue` if `body` fails. */
  | { readonly kind: 'attempt'; readonly body: Block; readonly rescue: Block };

/** What may be in a plan. */
export interface PlanLimits {
  readonly depth: number;
  /** Handlers, steps and children may fail; `caught`: what they throw changes what the handler does. */
  readonly failures: 'none' | 'any' | 'caught';
}

export function createPlan(chance: Chance, limits: PlanLimits): Block {
  return { kind: 'sequence', blocks: chance.list(2, 4, () => createBlock(chance, limits)) };
}

function createBlock(chance: Chance, limits: PlanLimits): Block {
  const isLeaf = limits.depth === 0 || chance.is(0.4);
  return isLeaf ? createLeaf(chance, limits) : createBranch(chance, { ...limits, depth: limits.depth - 1 });
}

function createBranch(chance: Chance, limits: PlanLimits): Block {
  const caught: PlanLimits = limits.failures === 'none' ? limits : { ...limits, failures: 'caught' };
  const blocksOf = (inner: PlanLimits): Block[] => chance.list(2, 3, () => createBlock(chance, inner));
  switch (chance.pick(['sequence', 'parallel', 'parallel', 'race', 'settled', 'attempt', 'call', 'call'] as const)) {
    case 'sequence':
      return { kind: 'sequence', blocks: blocksOf(limits) };
    case 'parallel':
      return { kind: 'parallel', blocks: blocksOf(limits) };
    case 'race':
      return { kind: 'race', blocks: blocksOf(caught) };
    case 'settled':
      return { kind: 'settled', blocks: blocksOf(caught) };
    case 'attempt':
      return { kind: 'attempt', body: createFailing(chance, caught), rescue: createBlock(chance, limits) };
    case 'call':
      return createCall(chance, limits, createPlan(chance, limits));
  }
}

function createLeaf(chance: Chance, limits: PlanLimits): Block {
  const mayFail = limits.failures !== 'none';
  switch (chance.pick(['step', 'step', 'step', 'sleep', 'call', 'signal', 'change', 'throw'] as const)) {
    case 'sleep':
      return { kind: 'sleep', ms: chance.pick([0, 1, 20, 300]) };
    case 'call':
      return createCall(chance, limits, createStep(chance, limits));
    case 'signal':
      return createSignal(chance);
    case 'change':
      return { kind: 'change' };
    case 'throw':
      return mayFail && limits.failures === 'any' ? { kind: 'throw', times: 1 } : createStep(chance, limits);
    case 'step':
      return createStep(chance, limits);
  }
}

function createStep(chance: Chance, { failures }: PlanLimits): Block {
  const isFailing = failures !== 'none' && chance.is(0.2);
  return { kind: 'step', workMs: chance.pick([0, 0, 1, 30]), failures: isFailing ? 1 : 0, isFatal: false };
}

function createCall(chance: Chance, { failures }: PlanLimits, body: Block): Block {
  const deaths = failures !== 'none' && chance.is(0.2) ? 1 : 0;
  const timeoutMs = chance.is(0.15) ? chance.pick([5, 100]) : null;
  return { kind: 'call', body, deaths, isAwaited: chance.is(0.9), timeoutMs };
}

function createSignal(chance: Chance): Block {
  const timeoutMs = chance.is(0.4) ? chance.pick([0, 10, 200]) : null;
  const isShared = chance.is(0.4);
  const isSent = isShared || timeoutMs === null || chance.is(0.5);
  return { kind: 'signal', isShared, timeoutMs, sentAfterMs: isSent ? chance.pick([0, 5, 100, 400]) : null };
}

function createFailing(chance: Chance, limits: PlanLimits): Block {
  if (limits.failures === 'none' || chance.is(0.3)) return createBlock(chance, limits);
  if (chance.is(0.5)) return { kind: 'step', workMs: chance.pick([0, 10]), failures: 0, isFatal: true };
  return { kind: 'call', body: createStep(chance, limits), deaths: 1000, isAwaited: true, timeoutMs: null };
}

/** Whether a handler that did `block` may have come to `value`: what {@link runBlock} returns. */
export function isPossible(block: Block, value: unknown): boolean {
  switch (block.kind) {
    case 'step':
      return value === 'stepped';
    case 'sleep':
      return value === 'slept';
    case 'throw':
      return value === 'passed';
    case 'change':
      return value === 0 || value === 1;
    case 'signal':
      return (
        (value === 'timed out' && block.timeoutMs !== null) || (value === 'signalled' && block.sentAfterMs !== null)
      );
    case 'call':
      if (!block.isAwaited) return value === 'called';
      return (value === 'timed out' && block.timeoutMs !== null) || isPossible(block.body, value);
    case 'race':
      return block.blocks.some((inner) => isPossible(inner, value));
    case 'settled':
      return isList(block.blocks, value, (inner, item) => item === 'failed' || isPossible(inner, item));
    case 'sequence':
    case 'parallel':
      return isList(block.blocks, value, isPossible);
    case 'attempt':
      return isPossible(block.body, value) || isPossible(block.rescue, value);
  }
}

function isList(blocks: readonly Block[], value: unknown, isItem: (block: Block, item: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length !== blocks.length) return false;
  return blocks.every((block, i) => isItem(block, value[i]));
}
