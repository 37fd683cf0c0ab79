import { expect, it, onTestFinished } from 'vitest';
import { Reseolio } from '../../src/index.ts';
import { TestProcess } from '../processes/child-process.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';

const LEASE_MS = 1000;
const BUSY_MS = 200;
const CONCURRENCY = 10;
const JOBS = 20;

function keepBusy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('handlers that keep the processor busy, each for less than a lease, run once though their sum is longer', async () => {
  const directory = temporaryDirectory();
  const other = new TestProcess({ script: 'test/processes/lmdb-peer.js', args: [directory] });
  onTestFinished(() => other.kill());
  await other.line('ready');
  other.say('reclaim');
  await other.line('reclaiming');
  const client = new Reseolio({
    storage: `lmdb://${directory}`,
    leaseMs: LEASE_MS,
    workerConcurrency: CONCURRENCY,
  });
  onTestFinished(() => client.stop());
  await client.start();
  let runs = 0;
  const busy = client.durable('busy', () => {
    runs++;
    keepBusy(BUSY_MS);
    return runs;
  });
  expect(CONCURRENCY * BUSY_MS).toBeGreaterThan(LEASE_MS);
  const handles = await busy.enqueueMany(Array.from({ length: JOBS }, () => []));
  const results = await Promise.all(handles.map((handle) => handle.result()));
  expect(results).toEqual(Array.from({ length: JOBS }, (_, i) => i + 1));
  expect(runs).toBe(JOBS);
});
