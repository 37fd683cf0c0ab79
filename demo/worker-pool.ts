import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerReport } from './worker-process.ts';

const WORKER_PROCESS = fileURLToPath(new URL('./worker-process.js', import.meta.url));
const STOP_TIMEOUT_MS = 10_000;

interface WorkerPoolParams {
  readonly size: number;
  readonly storageUrl: string;
  readonly functionName: string;
  /** Called after every report of a worker. */
  readonly onReport: () => void;
  /** Called when a worker ends that nobody killed. */
  readonly onCrash: (error: Error) => void;
}

interface PooledWorker {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  /** null until it is ready. */
  report: WorkerReport | null;
}

/** A worker that was killed. */
export interface KilledWorker {
  readonly pid: number;
  /** null if it was not ready yet. */
  readonly workerId: string | null;
  readonly replacementPid: number;
}

/** Worker processes, always the same number of them. */
export class WorkerPool {
  readonly #params: Readonly<WorkerPoolParams>;
  readonly #workers = new Set<PooledWorker>();

  constructor(params: Readonly<WorkerPoolParams>) {
    this.#params = params;
    for (let i = 0; i < params.size; i++) this.#add();
  }

  /** Jobs in the middle of which the busiest worker was when it last reported. */
  get mostRunning(): number {
    return runningOf(this.#busiest());
  }

  /** Kills the busiest worker with SIGKILL and starts another in its place. Resolves when the killed one is gone. */
  async killBusiest(): Promise<KilledWorker> {
    const victim = this.#busiest();
    this.#workers.delete(victim);
    victim.process.kill('SIGKILL');
    const replacement = this.#add();
    await victim.exited;
    const workerId = victim.report?.workerId ?? null;
    return { pid: pidOf(victim), workerId, replacementPid: pidOf(replacement) };
  }

  /** Lets every worker stop by itself, and kills those that do not. Resolves when all are gone. */
  async stop(): Promise<void> {
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const worker of workers) if (worker.process.connected) worker.process.disconnect();
    const timer = setTimeout(() => {
      for (const worker of workers) worker.process.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await Promise.all(workers.map((worker) => worker.exited));
    clearTimeout(timer);
  }

  #add(): PooledWorker {
    const { storageUrl, functionName, onReport, onCrash } = this.#params;
    const child = fork(WORKER_PROCESS, [storageUrl, functionName], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const worker: PooledWorker = { process: child, exited: once(child, 'exit'), report: null };
    this.#workers.add(worker);
    child.on('message', (report: WorkerReport) => {
      worker.report = report;
      if (this.#workers.has(worker)) onReport();
    });
    child.once('exit', (code, signal) => {
      if (this.#workers.delete(worker)) onCrash(new Error(`a worker process ended by itself (${signal ?? code})`));
    });
    return worker;
  }

  #busiest(): PooledWorker {
    const [busiest] = [...this.#workers].sort((a, b) => runningOf(b) - runningOf(a));
    if (busiest === undefined) throw new Error('no worker process is left');
    return busiest;
  }
}

function runningOf({ report }: PooledWorker): number {
  return report?.running ?? 0;
}

function pidOf(worker: PooledWorker): number {
  return worker.process.pid ?? 0;
}
