import { TestProcess } from '../../processes/child-process.ts';
import type { CrashLedger } from './crash-ledger.ts';

export interface CrashNodeParams {
  /** Of the storage. */
  readonly url: string;
  /** `early-ack`: with the bug that the test has to find. */
  readonly honesty: 'strict' | 'early-ack';
  readonly task: 'run' | 'drain';
  /** Told of all that is acknowledged. */
  readonly ledger: CrashLedger;
}

/** Starts a process of `crash-child.ts`. */
export function startCrashNode({ url, honesty, task, ledger }: CrashNodeParams): TestProcess {
  return new TestProcess({
    script: 'test/long/crash/crash-child.js',
    args: [url, honesty, task],
    onLine: (line) => ledger.record(line),
  });
}
