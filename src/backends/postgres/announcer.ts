import type { Runtime, Timer } from '../../core/runtime.ts';
import { channelOf, writeNotification } from './notifications.ts';
import type { RunQuery } from './query.ts';

/**
 * While there is something to tell all the time, all processes together tell it so often: commits with a NOTIFY wait for
 * each other, and each wakes all who listen.
 */
const INTERVAL_MS = 10;

/** More do not fit into one, and are told without particulars. */
const MAX_IDS = 300;

export interface AnnouncerParams {
  readonly run: RunQuery;
  readonly runtime: Runtime;
  readonly schema: string;
  readonly origin: string;
  /** How many other processes tell something. */
  readonly countOthers: () => number;
}

/** Tells the other processes of work, of results, of signals and of schedules: at once when it has been quiet, otherwise in intervals. */
export class Announcer {
  readonly #params: AnnouncerParams;
  readonly #work = new Set<string>();
  readonly #finished = new Set<string>();
  readonly #signalled = new Set<string>();
  #hasSchedules = false;
  #timer: Timer | null = null;
  #isSendingSoon = false;
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(params: AnnouncerParams) {
    this.#params = params;
  }

  announceWork(names: readonly string[]): void {
    for (const name of names) this.#work.add(name);
    this.#sendSoon();
  }

  announceFinished(jobIds: readonly string[]): void {
    addSome(this.#finished, jobIds);
    this.#sendSoon();
  }

  announceSignals(jobIds: readonly string[]): void {
    addSome(this.#signalled, jobIds);
    this.#sendSoon();
  }

  announceSchedules(): void {
    this.#hasSchedules = true;
    this.#sendSoon();
  }

  /** Tells what is left to tell. */
  async close(): Promise<void> {
    await this.#sending;
    this.#timer?.cancel();
    this.#timer = null;
    this.#send();
    await this.#sending;
  }

  #sendSoon(): void {
    if (this.#timer !== null || this.#isSendingSoon) return;
    this.#isSendingSoon = true;
    // After those who wait for the answer have it: they come first.
    this.#params.runtime.setImmediate(() => {
      this.#isSendingSoon = false;
      this.#send();
    });
  }

  #send(): void {
    // One at a time: commits with a NOTIFY wait for each other, and those that wait must not take all connections.
    const count = this.#work.size + this.#finished.size + this.#signalled.size;
    if (this.#isSending || (count === 0 && !this.#hasSchedules)) return;
    this.#isSending = true;
    const payload = writeNotification({
      origin: this.#params.origin,
      work: [...this.#work],
      finished: [...this.#finished],
      signals: [...this.#signalled],
      hasSchedules: this.#hasSchedules,
      isLate: false,
    });
    this.#work.clear();
    this.#finished.clear();
    this.#signalled.clear();
    this.#hasSchedules = false;
    this.#timer = this.#params.runtime.setTimer(INTERVAL_MS * (1 + this.#params.countOthers()), () => {
      this.#timer = null;
      this.#send();
    });
    // Nothing is lost with a hint but time, so nobody waits for the disk, and nothing is tried again.
    this.#sending = this.#params
      .run({
        name: 'notify',
        text: "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
        values: [channelOf(this.#params.schema), payload],
      })
      .catch(() => {})
      .then(() => {
        this.#isSending = false;
        if (this.#timer === null) this.#send();
      });
  }
}

/** As many as can be told with particulars, and one more. */
function addSome(told: Set<string>, jobIds: readonly string[]): void {
  for (const id of jobIds) {
    if (told.size > MAX_IDS) return;
    told.add(id);
  }
}
