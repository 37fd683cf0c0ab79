import { openStorage } from '../../../src/backends/open-storage.ts';
import { ReseolioError } from '../../../src/core/errors.ts';
import { encodePayload } from '../../../src/core/payload.ts';
import { createSystemRuntime } from '../../../src/core/runtime.ts';
import type { AttemptOutcome, NewJob, Settlement, Storage } from '../../../src/core/storage.ts';
import { ids, newJob } from '../../processes/new-job.ts';
import { report } from '../../processes/report.ts';
import { acknowledgeEarly } from './early-ack-storage.ts';

/**
 * A process of the crash tests: enqueues and runs jobs as fast as it can until it is killed, and reports what was
 * acknowledged, at once: `node crash-child.js <storage URL> <strict|early-ack> <run|drain>`. Told anything while it runs,
 * it enqueues no more and drains. A call that is rejected is made again as it was until it is answered.
 *
 *   enqueued <id>…            the enqueue of these was acknowledged
 *   settled <id> <attempt> <state> <result>
 *   rejected <ms> <call> <reason>
 */
const [url, honesty, task] = process.argv.slice(2) as [string, 'strict' | 'early-ack', 'run' | 'drain'];
const NAMES = ['alpha', 'beta'];
const LEASE_MS = 300;
const CLAIM_LIMIT = 20;
const REPEAT_AFTER_MS = 50;
const IDLE_MS = 5;

const runtime = createSystemRuntime();
const storage = await openStorage(url, { runtime, durability: 'strict', migrate: 'auto' });
const producer: Pick<Storage, 'enqueue'> = honesty === 'early-ack' ? acknowledgeEarly(storage) : storage;

let isDraining = task === 'drain';
process.stdin.once('data', () => {
  isDraining = true;
});

async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function untilAnswered<Result>(name: string, call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    const calledAt = performance.now();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ReseolioError) || error.code !== 'storage_unavailable') throw error;
      report(`rejected ${Math.round(performance.now() - calledAt)} ${name} ${error.message}`);
      await pause(REPEAT_AFTER_MS);
    }
  }
}

function randomJob(): NewJob {
  const options = { ...newJob().options, maxAttempts: 1 + Math.floor(Math.random() * 4) };
  const size = Math.random() < 0.1 ? 3000 : 20;
  return newJob({
    name: NAMES[Math.floor(Math.random() * NAMES.length)] as string,
    args: encodePayload([Buffer.alloc(size, 1)], 'args'),
    delayMs: Math.random() < 0.2 ? Math.random() * 50 : null,
    idempotencyKey: Math.random() < 0.2 ? `key-${Math.floor(Math.random() * 1e6)}` : null,
    options,
  });
}

async function enqueueAll(): Promise<void> {
  while (!isDraining) {
    const jobs = Array.from({ length: 1 + Math.floor(Math.random() * 10) }, randomJob);
    const results = await untilAnswered('enqueue', () => producer.enqueue({ jobs }));
    report(`enqueued ${results.map(({ jobId }) => jobId).join(' ')}`);
  }
}

function randomOutcome(jobId: string, attempt: number): AttemptOutcome {
  const error = { name: 'Error', message: 'chosen by chance', stack: null };
  const chance = Math.random();
  if (!isDraining && chance < 0.1) return { kind: 'retry', error, delayMs: Math.random() * 20 };
  if (!isDraining && chance < 0.15) return { kind: 'dead', error };
  if (!isDraining && chance < 0.2) return { kind: 'release' };
  return { kind: 'success', result: encodePayload(`${jobId}/${attempt}/${process.pid}`, 'result') };
}

/** Claims and settles a batch; the number of jobs it had. */
async function runBatch(): Promise<number> {
  const token = ids.next();
  const names = Math.random() < 0.5 ? NAMES : NAMES.toReversed();
  const { jobs } = await untilAnswered('claim', () =>
    storage.claim({
      workerId: String(process.pid),
      leaseToken: token,
      names,
      limit: CLAIM_LIMIT,
      leaseMs: LEASE_MS,
    }),
  );
  const settlements: Settlement[] = jobs.map(({ id, attempt }) => ({
    lease: { jobId: id, attempt, token },
    outcome: randomOutcome(id, attempt),
  }));
  const results = await untilAnswered('settle', () => storage.settle({ settlements }));
  results.forEach((result, i) => {
    const { lease, outcome } = settlements[i] as Settlement;
    if (result.status !== 'settled') return;
    const value = outcome.kind === 'success' ? `${lease.jobId}/${lease.attempt}/${process.pid}` : '-';
    report(`settled ${lease.jobId} ${lease.attempt} ${outcome.kind} ${value} ${token}`);
  });
  return jobs.length;
}

async function runAll(): Promise<void> {
  while (!isDraining) {
    if ((await runBatch()) === 0) await pause(IDLE_MS);
    await untilAnswered('reclaim', () => storage.reclaimExpired({ limit: 100 }));
  }
}

async function drain(): Promise<void> {
  for (;;) {
    await untilAnswered('reclaim', () => storage.reclaimExpired({ limit: 1000 }));
    const ran = await runBatch();
    const counts = await untilAnswered('counts', () => storage.counts());
    if (counts.every(({ pending, running }) => pending + running === 0)) return;
    if (ran === 0) await pause(IDLE_MS);
  }
}

report('ready');
await Promise.all([enqueueAll(), runAll(), runAll()]);
await drain();
await storage.close();
report('drained');
process.exit();
