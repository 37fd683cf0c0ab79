import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import type { Storage } from '../../src/core/storage.ts';
import { ids, newJob } from './new-job.ts';
import { report } from './report.ts';

/**
 * Enqueues, claims and settles one job at a time and reports each step when its promise resolves:
 * `node lmdb-writer.js <directory> <commit mode> <jobs>`. At the end, reports the longest time that the event loop
 * stood still while jobs were written.
 */
const [directory, commitMode, jobs] = process.argv.slice(2) as [string, string, string];
const storage: Storage = await LmdbStorage.open({
  ...parseLmdbUrl(`lmdb://${directory}?commit=${commitMode}`),
  durability: 'strict',
  runtime: createSystemRuntime(),
});

let lastTurn = performance.now();
let longestTurnMs = 0;
const turns = setInterval(() => {
  const now = performance.now();
  longestTurnMs = Math.max(longestTurnMs, now - lastTurn);
  lastTurn = now;
}, 1);

report('RESOLVED ready');
for (let i = 0; i < Number(jobs); i++) {
  const job = newJob();
  report('CALLED enqueue');
  await storage.enqueue({ jobs: [job] });
  report('RESOLVED enqueue');
  const token = ids.next();
  await storage.claim({ workerId: 'writer', leaseToken: token, names: [job.name], limit: 1, leaseMs: 60_000 });
  report('CALLED settle');
  const lease = { jobId: job.id, attempt: 1, token };
  await storage.settle({ settlements: [{ lease, outcome: { kind: 'success', result: null } }] });
  report('RESOLVED settle');
}
clearInterval(turns);
report(`longest turn ${longestTurnMs}`);
await storage.close();
