import { expect } from 'vitest';
import type { Storage } from '../../../src/core/storage.ts';
import type { TestProcess } from '../../processes/child-process.ts';
import { CrashLedger } from '../crash/crash-ledger.ts';

/** Long enough for a small machine to run what is left; a run that hangs takes longer. */
const DRAIN_TIMEOUT_MS = 60_000;

/** Tells nodes to enqueue no more; resolves when they have run all that is left, and ended in good order. */
export async function drainNodes(nodes: readonly TestProcess[]): Promise<void> {
  for (const node of nodes) node.say('drain');
  const drained = Promise.all(nodes.map((node) => node.line('drained')));
  await within(DRAIN_TIMEOUT_MS, 'all jobs to end', drained);
  expect(await Promise.all(nodes.map((node) => node.exited()))).toEqual(nodes.map(() => 0));
}

/** Nothing that was acknowledged is lost, every job has ended, and the counts agree with the lists. */
export async function expectAllKept(storage: Storage, ledger: CrashLedger): Promise<void> {
  expect(await ledger.violations(storage)).toEqual([]);
  expect(await CrashLedger.unfinished(storage)).toEqual([]);
}

/** Rejects if `promise` takes longer. */
export async function within<Result>(timeoutMs: number, what: string, promise: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}
