import { describe, expect, it } from 'vitest';
import { openLmdb, temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { CrashLedger } from './crash-ledger.ts';
import { type CrashNodeParams, startCrashNode } from './crash-node.ts';

const ROUNDS = 200;
/** The planted bug shows after a few rounds; this many without a find means that the check is blind. */
const MAX_CONTROL_ROUNDS = 60;

/** Starts 1 to 3 processes, lets them work for a moment, and kills them one after the other. */
async function runRound(round: number, params: Omit<CrashNodeParams, 'task'>): Promise<void> {
  const children = Array.from({ length: 1 + (round % 3) }, () => startCrashNode({ ...params, task: 'run' }));
  await Promise.all(children.map((child) => child.line('ready')));
  for (const child of children) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    await child.kill();
  }
}

async function findViolations(directory: string, ledger: CrashLedger): Promise<string[]> {
  const storage = await openLmdb(directory);
  const found = await ledger.violations(storage);
  await storage.close();
  return found;
}

describe('kill -9 at any moment', () => {
  it(`loses nothing in ${ROUNDS} rounds of 1 to 3 processes: enqueues, results, attempts, counts`, async () => {
    const directory = temporaryDirectory();
    const url = `lmdb://${directory}`;
    const ledger = new CrashLedger();
    for (let round = 0; round < ROUNDS; round++) {
      await runRound(round, { url, honesty: 'strict', ledger });
      if (round % 20 === 19) expect(await findViolations(directory, ledger), `round ${round}`).toEqual([]);
    }
    const drain = startCrashNode({ url, honesty: 'strict', task: 'drain', ledger });
    await drain.line('drained');
    const storage = await openLmdb(directory);
    expect(await ledger.violations(storage)).toEqual([]);
    expect(await CrashLedger.unfinished(storage)).toEqual([]);
    await storage.close();
    expect(ledger.enqueuedCount).toBeGreaterThan(10 * ROUNDS);
    expect(ledger.successCount).toBeGreaterThan(ROUNDS);
  });

  it('is seen to lose jobs when a storage acknowledges early', async () => {
    const directory = temporaryDirectory();
    const url = `lmdb://${directory}`;
    const ledger = new CrashLedger();
    let found: string[] = [];
    for (let round = 0; round < MAX_CONTROL_ROUNDS && found.length === 0; round++) {
      await runRound(round, { url, honesty: 'early-ack', ledger });
      found = await findViolations(directory, ledger);
    }
    expect(found.join('\n')).toContain('was acknowledged and is lost');
  });
});
