import { Reseolio } from '../src/index.ts';
import { compressFile } from './compress-file.ts';

/** What a worker process tells the demo after every change. */
export interface WorkerReport {
  /** As the jobs that it holds name it. */
  readonly workerId: string;
  /** Jobs that it has begun and whose outcome is not stored yet. */
  readonly running: number;
}

/** Short, so that the jobs of a killed worker are soon back. */
const LEASE_MS = 2000;

const [storage = '', functionName = ''] = process.argv.slice(2);
const reseolio = new Reseolio({ storage, workerConcurrency: 8, leaseMs: LEASE_MS });
reseolio.durable(functionName, compressFile);

const running = new Set<string>();
let workerId = '';

function report(): void {
  if (!process.connected) return;
  // An error means that the demo is gone, which 'disconnect' tells as well.
  process.send?.({ workerId, running: running.size } satisfies WorkerReport, undefined, undefined, () => {});
}

reseolio.on('ready', (ready) => {
  workerId = ready.workerId;
  report();
});
reseolio.on('job:start', ({ jobId }) => {
  running.add(jobId);
  report();
});
for (const event of ['job:success', 'job:error'] as const) {
  reseolio.on(event, ({ jobId }) => {
    // Errors are told of the jobs of a killed worker too, by the one that takes them back.
    if (running.delete(jobId)) report();
  });
}

reseolio.on('storage:error', ({ error, isFinal }) => {
  console.error(error);
  if (isFinal) process.exit(1);
});

// The demo has ended, one way or another.
process.once('disconnect', () => void reseolio.stop());
// Ctrl-C goes to every process of a terminal; the demo decides what becomes of its workers.
process.on('SIGINT', () => {});

await reseolio.start();
// It may have ended before anyone listened.
if (!process.connected) await reseolio.stop();
