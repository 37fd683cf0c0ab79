import { randomUUID } from 'node:crypto';
import { type JobHandle, Reseolio } from '../src/index.ts';
import { awaitJobs } from './await-jobs.ts';
import { checkResults } from './check-results.ts';
import { type CompressedFile, compressFile } from './compress-file.ts';
import { countHeld, countRerun } from './count-jobs.ts';
import { openDemoStorage, openFloorProbe } from './demo-storage.ts';
import { enqueueFiles } from './enqueue-files.ts';
import { findFiles } from './find-files.ts';
import { KillPlan } from './kill-plan.ts';
import { type DemoArguments, UsageError } from './parse-arguments.ts';
import type { Progress } from './progress.ts';
import { readOutcomes } from './read-outcomes.ts';
import { type KilledWorker, WorkerPool } from './worker-pool.ts';

const WORKERS = 2;

/** Every kill may hit the same job, and its lost attempt counts. */
const MAX_ATTEMPTS = 10;

/** More problems than this are only counted. */
const SHOWN_PROBLEMS = 10;

/** The demo's last line. */
export interface DemoSummary {
  readonly jobs: number;
  readonly kills: number;
  readonly lost: number;
  readonly wrong: number;
  readonly rerun: number;
  readonly enqueueP50Ms: number;
  /** Of the least that a durable write can take: on LMDB the disk's own work, */
  readonly fsyncP50Ms?: number;
  /** on PostgreSQL a small transaction. */
  readonly commitP50Ms?: number;
  readonly seconds: number;
}

interface RunDemoParams extends DemoArguments {
  readonly progress: Progress;
  /** Ends the demo early: it cleans up and rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** What the steps of one demo share. */
interface DemoRun extends RunDemoParams {
  readonly paths: readonly string[];
  readonly storageUrl: string;
  readonly functionName: string;
}

/** Runs the demo from end to end. */
export async function runDemo(params: Readonly<RunDemoParams>): Promise<DemoSummary> {
  const startedAt = performance.now();
  const { directory, fileLimit, progress } = params;
  const paths = findFiles(directory, fileLimit);
  if (paths.length === 0) throw new UsageError(`${directory} holds no files that can be read`);
  progress.print(`${count(paths.length, 'file')} found in ${directory}`);

  await using storage = await openDemoStorage(params.storage);
  if (storage.notice !== null) progress.print(storage.notice);
  const run: DemoRun = {
    ...params,
    paths,
    storageUrl: storage.url,
    // Of its own: the storage may hold the jobs of another demo.
    functionName: `demo:${randomUUID()}:compress`,
  };
  const { jobIds, figures } = await enqueue(run);
  const kills = await work(run, jobIds);
  const { lost, wrong, rerun } = await check(run, jobIds);
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  return { jobs: jobIds.length, kills, lost, wrong, rerun, ...figures, seconds };
}

/** Enqueues one job for each file, before there is a worker. */
async function enqueue({ storageUrl, functionName, paths, progress, signal }: DemoRun) {
  await using reseolio = new Reseolio({ storage: storageUrl, workerConcurrency: 0 });
  const compress = reseolio.durable(functionName, compressFile, { maxAttempts: MAX_ATTEMPTS });
  await reseolio.start();
  await using probe = await openFloorProbe(storageUrl);
  const { jobIds, enqueueP50Ms, floorP50Ms } = await enqueueFiles({ compress, paths, probe, signal });
  progress.print(
    `${count(paths.length, 'job')} enqueued, each durable: one alone takes ${enqueueP50Ms} ms, ` +
      `${probe.describe(floorP50Ms)} (both p50)`,
  );
  return { jobIds, figures: { enqueueP50Ms, [probe.figure]: floorP50Ms } };
}

/** Has the jobs done, killing workers in the middle. Resolves with the number of kills. */
async function work(run: DemoRun, jobIds: readonly string[]): Promise<number> {
  const { storageUrl, functionName, progress } = run;
  const crash = new AbortController();
  await using reseolio = new Reseolio({ storage: storageUrl, workerConcurrency: 0 });
  await reseolio.start();

  let ended = 0;
  const pool = new WorkerPool({
    size: WORKERS,
    storageUrl,
    functionName,
    onReport: () => plan.consider(ended),
    onCrash: (error) => crash.abort(error),
  });
  const plan = new KillPlan({
    pool,
    jobs: jobIds.length,
    onKilled: async (worker, kill) => {
      const percent = Math.floor((ended / jobIds.length) * 100);
      const held = worker.workerId === null ? 0 : await countHeld(reseolio, functionName, worker.workerId);
      progress.print(`at ${percent}%, ${describeKill(worker, kill, held)}`);
    },
  });
  try {
    progress.start('working ', jobIds.length);
    await awaitJobs({
      handles: jobIds.map((jobId): JobHandle<CompressedFile> => reseolio.getHandle(jobId)),
      signal: AbortSignal.any([run.signal, crash.signal]),
      onEnded: (endedNow) => {
        ended = endedNow;
        progress.update(ended);
        plan.consider(ended);
      },
    });
    await plan.finish();
    return plan.kills;
  } finally {
    progress.end();
    await pool.stop();
  }
}

function describeKill({ pid, replacementPid }: KilledWorker, kill: number, held: number): string {
  const victim = held === 0 ? 'which held no job' : `in the middle of ${count(held, 'job')}`;
  return `kill ${kill}: kill -9 ${pid}, ${victim}; ${replacementPid} takes its place`;
}

/** Opens the storage anew and holds what it has against a direct computation. */
async function check({ storageUrl, functionName, paths, progress, signal }: DemoRun, jobIds: readonly string[]) {
  await using reseolio = new Reseolio({ storage: storageUrl, workerConcurrency: 0 });
  await reseolio.start();
  const outcomes = await readOutcomes(reseolio, paths, jobIds);
  const rerun = await countRerun(reseolio, functionName);

  progress.start('checking', paths.length);
  const { lost, wrong, problems } = await checkResults(outcomes, compressFile, (checked) => {
    signal.throwIfAborted();
    progress.update(checked);
  });
  progress.end();
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) progress.print(problem);
  if (problems.length > SHOWN_PROBLEMS) progress.print(`and ${problems.length - SHOWN_PROBLEMS} more like these`);
  progress.print(
    `${count(paths.length, 'result')} checked: ${lost} lost, ${wrong} wrong; ${count(rerun, 'job')} ran more than once`,
  );
  return { lost, wrong, rerun };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
