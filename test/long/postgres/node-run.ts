import { expect, onTestFinished } from 'vitest';
import { open } from '../../postgres/postgres-fixture.ts';
import type { TestProcess } from '../../processes/child-process.ts';
import { CrashLedger } from '../crash/crash-ledger.ts';
import { startCrashNode } from '../crash/crash-node.ts';
import { ClientNode } from './client-node.ts';
import { drainNodes, expectAllKept, pause, within } from './crash-run.ts';

export const TIMEOUT_MS = 5000;
/** A call may wait for as long as it is told to, and for one more connection. */
const MAX_REJECTION_MS = TIMEOUT_MS + 6000;
/** What is under way when the server comes back may have to wait for its next look, and a lease to expire. */
const RECOVERY_MS = 10_000;

export interface Nodes {
  readonly clients: readonly ClientNode[];
  readonly crashNodes: readonly TestProcess[];
  readonly ledger: CrashLedger;
}

/** Two nodes with the whole client, and two that use the storage as it is and try everything again as it was. */
export async function startNodes(url: string): Promise<Nodes> {
  const ledger = new CrashLedger();
  const at = (schema: string): string => urlOf(url, `timeoutMs=${TIMEOUT_MS}&schema=${schema}`);
  const crashNodes = [1, 2].map(() => startCrashNode({ url: at('crash'), honesty: 'strict', task: 'run', ledger }));
  for (const node of crashNodes) onTestFinished(() => node.kill());
  const clients = ['a', 'b'].map((name) => new ClientNode({ url: at('client'), leaseMs: 1000, name }));
  await Promise.all([...crashNodes, ...clients.map(({ process }) => process)].map((node) => node.line('ready')));
  for (const { process } of clients) process.say('call');
  return { clients, crashNodes, ledger };
}

/** Resolves when each of the clients has a result of a call that it made after this. */
export async function expectResults(clients: readonly ClientNode[], withinMs: number): Promise<void> {
  const before = clients.map(({ results }) => results.size);
  const deadline = performance.now() + withinMs;
  // Two for each caller: the first may be of a call that was made before.
  while (clients.some(({ results }, i) => results.size < (before[i] as number) + 8)) {
    expect(performance.now(), 'the nodes come back by themselves').toBeLessThan(deadline);
    await pause(20);
  }
}

export async function expectNothingLost(url: string, { clients, crashNodes, ledger }: Nodes): Promise<void> {
  for (const { process } of clients) process.say('quiet');
  await within(RECOVERY_MS, 'results', Promise.all(clients.map(({ process }) => process.line('quiet'))));
  for (const client of clients) {
    expect(client.unanswered).toEqual([]);
    expect(client.longestRejectionMs).toBeLessThan(MAX_REJECTION_MS);
  }
  await drainNodes(crashNodes);
  const storage = await open(urlOf(url, 'schema=crash'));
  await expectAllKept(storage, ledger);
  expect(await ledger.unacknowledged(storage)).toEqual([]);
  expect(ledger.longestRejectionMs).toBeLessThan(MAX_REJECTION_MS);
  const clientStorage = await open(urlOf(url, 'schema=client'));
  const called = new Set(clients.flatMap(({ enqueued }) => [...enqueued]));
  const { jobs } = await clientStorage.listJobs({ ...EVERY_JOB });
  // A call that was rejected may have been stored: that cannot be known. Every other job was acknowledged, to one caller.
  const rejected = clients.reduce((sum, { rejections }) => sum + rejections.length, 0);
  expect(jobs.filter(({ id }) => !called.has(id)).length).toBeLessThanOrEqual(rejected);
  expect(await CrashLedger.unfinished(clientStorage)).toEqual([]);
  for (const { process } of clients) process.say('stop');
  expect(await Promise.all(clients.map(({ process }) => process.exited()))).toEqual([0, 0]);
}

const EVERY_JOB = {
  states: null,
  names: null,
  parentId: null,
  limit: 1_000_000,
  offset: 0,
  orderBy: 'createdAt',
  isAscending: true,
} as const;

function urlOf(url: string, parameters: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${parameters}`;
}
