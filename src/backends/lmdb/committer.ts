import { ReseolioError } from '../../core/errors.ts';
import type { CommitModeChooser } from './commit-mode.ts';
import type { NameIndex } from './names.ts';
import { isNativeError, storageFailed, translateCommitError } from './native-errors.ts';
import { type Database, Tree } from './tree.ts';
import { WriteTransaction } from './write-transaction.ts';

/** Jobs that are changed by one commit; operations that go beyond go into the next. One operation may have more. */
const MAX_JOBS_PER_COMMIT = 4096;
/** Jobs whose change waits for a commit. More are refused: a disk that slow is not going to catch up. */
const MAX_WAITING_JOBS = 200_000;
/** A commit that takes longer has failed, whatever it does later. */
export const COMMIT_TIMEOUT_MS = 30_000;
const COMMIT_TIMEOUT_TICKS = 10;

/** `TransactionFlags` of the package, which exports them as a const enum. */
const ABORTABLE_SYNCED: number = 3;
const ABORTABLE_UNSYNCED: number = 0x10003;

export type Operation<Result> = (transaction: WriteTransaction) => Result;

interface Waiting {
  readonly run: Operation<unknown>;
  readonly jobCount: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitterParams {
  readonly database: Database;
  readonly names: NameIndex;
  readonly directory: string;
  /** Acknowledge commits that are not on disk yet. */
  readonly isRelaxed: boolean;
  readonly mode: CommitModeChooser;
  readonly commitTimeoutMs: number;
  /** Names this process in the feed, or null when no other process is there to read it. */
  readonly feedOrigin: () => Buffer | null;
  readonly onCommitted: (transaction: WriteTransaction) => void;
  readonly onFailed: (error: ReseolioError) => void;
}

/**
 * Group commit: whatever was submitted in one turn of the event loop, or while a commit was under way, goes into the
 * next commit together and is answered when that is on disk. Operations run in the order of submission, each seeing
 * what those before it wrote.
 */
export class Committer {
  readonly #params: CommitterParams;
  readonly #tree: Tree;
  #waiting: Waiting[] = [];
  #waitingJobs = 0;
  #isScheduled = false;
  #isCommitting = false;
  #failure: ReseolioError | null = null;
  #whenIdle: (() => void)[] = [];

  constructor(params: CommitterParams) {
    this.#params = params;
    this.#tree = new Tree(params.database);
  }

  get failure(): ReseolioError | null {
    return this.#failure;
  }

  /** Something is submitted that is not committed yet. */
  get isBusy(): boolean {
    return this.#isCommitting || this.#waiting.length > 0;
  }

  /**
   * Resolves with what `run` returned once the commit that holds its writes is durable. `jobCount` is how many jobs it
   * is about: commits and the queue are bounded by it.
   */
  submit<Result>(run: Operation<Result>, jobCount = 1): Promise<Result> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waitingJobs >= MAX_WAITING_JOBS) return Promise.reject(overloaded());
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ run, jobCount, resolve, reject });
      this.#waitingJobs += jobCount;
      this.#schedule();
    });
  }

  /** Resolves when nothing is waiting or under way, or when the storage has failed. */
  idle(): Promise<void> {
    if (!this.isBusy || this.#failure !== null) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isCommitting || this.#failure !== null) return;
    this.#isScheduled = true;
    // After the I/O callbacks of this turn: requests that arrived together are committed together.
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#commitWaiting();
    });
  }

  async #commitWaiting(): Promise<void> {
    const batch = this.#takeBatch();
    this.#isCommitting = true;
    const attempt = new CommitAttempt(batch, this.#params, this.#tree);
    const writesBefore = this.#tree.writes;
    const startedAt = performance.now();
    try {
      if (this.#params.mode.isInline) attempt.commitInline();
      else await this.#withinBound(attempt.commitOffThread());
      this.#params.mode.observe(performance.now() - startedAt, this.#tree.writes - writesBefore);
      if (this.#failure === null) this.#settle(attempt);
    } catch (error) {
      this.#handleError(error, attempt);
    }
    this.#isCommitting = false;
    if (this.#waiting.length > 0) this.#schedule();
    else this.#notifyIdle();
  }

  #takeBatch(): Waiting[] {
    let count = 0;
    let jobs = 0;
    while (count < this.#waiting.length && jobs < MAX_JOBS_PER_COMMIT) {
      jobs += (this.#waiting[count++] as Waiting).jobCount;
    }
    this.#waitingJobs -= jobs;
    return this.#waiting.splice(0, count);
  }

  #settle(attempt: CommitAttempt): void {
    const { transaction } = attempt;
    transaction.rememberNames();
    attempt.batch.forEach(({ resolve }, i) => {
      resolve(attempt.results[i] as never);
    });
    this.#params.onCommitted(transaction);
  }

  #handleError(error: unknown, attempt: CommitAttempt): void {
    if (this.#failure !== null) return;
    const culprit = attempt.batch[attempt.failedAt];
    if (culprit !== undefined && !isNativeError(error)) {
      // An operation threw, so nothing of the batch was written: the others go again without it.
      culprit.reject(error);
      const others = attempt.batch.filter((operation) => operation !== culprit);
      this.#waiting = [...others, ...this.#waiting];
      for (const { jobCount } of others) this.#waitingJobs += jobCount;
      return;
    }
    const translated = error instanceof ReseolioError ? error : translateCommitError(error, this.#params.directory);
    if (translated.code !== 'storage_full') this.fail(translated);
    attempt.abandon();
    for (const { reject } of attempt.batch) reject(translated);
  }

  /** Rejects everything that waits, now and from now on. */
  fail(error: ReseolioError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
    this.#params.onFailed(error);
    this.#notifyIdle();
  }

  /**
   * Rejects when `commit` takes too long. It is not known then what became of it, so the storage has failed. The time is
   * counted in ticks: for a process that was stopped, or blocked, it stands still, as the commit does on this side.
   */
  #withinBound(commit: Promise<void>): Promise<void> {
    const { commitTimeoutMs, directory } = this.#params;
    return new Promise((resolve, reject) => {
      let ticks = 0;
      const timer = setInterval(() => {
        if (++ticks < COMMIT_TIMEOUT_TICKS) return;
        clearInterval(timer);
        reject(storageFailed(`a commit has not returned for ${commitTimeoutMs} ms`, directory));
      }, commitTimeoutMs / COMMIT_TIMEOUT_TICKS);
      commit.then(resolve, reject).finally(() => clearInterval(timer));
    });
  }

  #notifyIdle(): void {
    const callbacks = this.#whenIdle;
    this.#whenIdle = [];
    for (const callback of callbacks) callback();
  }
}

/** One try at committing a batch. A throw of an operation rolls the whole try back. */
class CommitAttempt {
  readonly batch: readonly Waiting[];
  readonly results: unknown[] = [];
  readonly transaction: WriteTransaction;
  /** Index of the operation that threw, or -1. */
  failedAt = -1;
  #isAbandoned = false;
  readonly #params: CommitterParams;

  constructor(batch: readonly Waiting[], params: CommitterParams, tree: Tree) {
    this.batch = batch;
    this.#params = params;
    this.transaction = new WriteTransaction(tree, params.names);
  }

  /** Blocks the event loop until the commit is durable. */
  commitInline(): void {
    this.#params.database.transactionSync(
      () => {
        this.#runAll();
      },
      this.#params.isRelaxed ? ABORTABLE_UNSYNCED : ABORTABLE_SYNCED,
    );
  }

  /**
   * Runs the operations on this thread, waits for the lock and the disk on another. A child transaction, because a
   * throw inside a plain asynchronous one commits what it had written.
   */
  async commitOffThread(): Promise<void> {
    try {
      await this.#params.database.childTransaction(() => {
        this.#runAll();
      });
    } catch (error) {
      throw await nativeCause(error);
    }
  }

  /** Its calls are answered: should the lock come free after all, nothing is to be written. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #runAll(): void {
    if (this.#isAbandoned) throw new Error('the commit was given up');
    for (let i = 0; i < this.batch.length; i++) {
      this.failedAt = i;
      this.results.push((this.batch[i] as Waiting).run(this.transaction));
    }
    this.failedAt = -1;
    this.transaction.finish(this.#params.feedOrigin());
  }
}

/** The package hides the reason behind a promise of its own. */
async function nativeCause(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<never> } | null)?.commitError;
  if (reason === undefined) return error;
  // It never settles in some failures, and then the outer error has to do.
  return Promise.race([
    reason.catch((cause: unknown) => cause),
    new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(error)))),
  ]);
}

function overloaded(): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `${MAX_WAITING_JOBS} jobs wait for the disk already: wait for some of the calls before making more`,
  );
}
