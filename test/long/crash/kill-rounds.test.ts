import { describe, expect, it } from 'vitest';
import { TestProcess } from '../../processes/child-process.ts';
import { openLmdb, temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { CrashLedger } from './crash-ledger.ts';

const ROUNDS = 200;
/** The planted bug shows after a few rounds; this many without a find means that the check is blind. */
const MAX_CONTROL_ROUNDS = 60;

type Honesty = 'strict' | 'early-ack';

function startChild(directory: string, honesty: Honesty, task: 'run' | 'drain', ledger: CrashLedger): TestProcess {
  return new TestProcess({
    script: 'test/long/crash/crash-child.js',
    args: [directory, honesty, task],
    onLine: (line) => ledger.record(line),
  });
}

/** Starts 1 to 3 processes, lets them work for a moment, and kills them one after the other. */
async function runRound(round: number, directory: string, honesty: Honesty, ledger: CrashLedger): Promise<void> {
  const children = Array.from({ length: 1 + (round % 3) }, () => startChild(directory, honesty, 'run', ledger));
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
    const ledger = new CrashLedger();
    for (let round = 0; round < ROUNDS; round++) {
      await runRound(round, directory, 'strict', ledger);
      if (round % 20 === 19) expect(await findViolations(directory, ledger), `round ${round}`).toEqual([]);
    }
    const drain = startChild(directory, 'strict', 'drain', ledger);
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
    const ledger = new CrashLedger();
    let found: string[] = [];
    for (let round = 0; round < MAX_CONTROL_ROUNDS && found.length === 0; round++) {
      await runRound(round, directory, 'early-ack', ledger);
      found = await findViolations(directory, ledger);
    }
    expect(found.join('\n')).toContain('was acknowledged and is lost');
  });
});
