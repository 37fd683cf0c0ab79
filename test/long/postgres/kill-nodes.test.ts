import { describe, expect, it } from 'vitest';
import { freshSchema, open, urlWith } from '../../postgres/postgres-fixture.ts';
import { CrashLedger } from '../crash/crash-ledger.ts';
import { type CrashNodeParams, startCrashNode } from '../crash/crash-node.ts';
import { drainNodes, expectAllKept, pause } from './crash-run.ts';

const NODES = 3;
const RUN_MS = 120_000;
const MAX_LIFE_MS = 700;
/** The planted bug shows after a few rounds; this many without a find means that the check is blind. */
const MAX_CONTROL_ROUNDS = 60;

function startNode(params: Omit<CrashNodeParams, 'task'>): ReturnType<typeof startCrashNode> {
  return startCrashNode({ ...params, task: 'run' });
}

/** Keeps one node up until the time is over, killing it at any moment; the number of kills. */
async function killAgainAndAgain(params: Omit<CrashNodeParams, 'task'>, untilMs: number): Promise<number> {
  let kills = 0;
  while (performance.now() < untilMs) {
    const node = startNode(params);
    await node.line('ready');
    await pause(Math.random() * MAX_LIFE_MS);
    await node.kill();
    kills++;
  }
  return kills;
}

describe('kill -9 of nodes at any moment', () => {
  it(`loses nothing in ${RUN_MS / 1000} s of ${NODES} nodes: enqueues, results, attempts, counts`, async () => {
    const url = urlWith({ schema: freshSchema() });
    const storage = await open(url);
    const ledger = new CrashLedger();
    const params = { url, honesty: 'strict', ledger } as const;
    const untilMs = performance.now() + RUN_MS;
    const runs = Array.from({ length: NODES }, () => killAgainAndAgain(params, untilMs));
    const kills = (await Promise.all(runs)).reduce((sum, each) => sum + each, 0);
    expect(await ledger.violations(storage)).toEqual([]);
    const nodes = Array.from({ length: NODES }, () => startCrashNode({ ...params, task: 'drain' }));
    await drainNodes(nodes);
    await expectAllKept(storage, ledger);
    expect(kills).toBeGreaterThan(50);
    expect(ledger.enqueuedCount).toBeGreaterThan(20 * kills);
    expect(ledger.successCount).toBeGreaterThan(10 * kills);
    expect(ledger.rejectedCount).toBe(0);
  });

  it('is seen to lose jobs when a storage acknowledges early', async () => {
    const url = urlWith({ schema: freshSchema() });
    const storage = await open(url);
    const ledger = new CrashLedger();
    let found: string[] = [];
    for (let round = 0; round < MAX_CONTROL_ROUNDS && found.length === 0; round++) {
      const node = startNode({ url, honesty: 'early-ack', ledger });
      await node.line('ready');
      await pause(Math.random() * 60);
      await node.kill();
      found = await ledger.violations(storage);
    }
    expect(found.join('\n')).toContain('was acknowledged and is lost');
  });
});
