import type { StorageHint } from '../../core/storage.ts';
import { HintBoard } from '../hint-board.ts';
import { Announcer, type AnnouncerParams } from './announcer.ts';
import { Listener } from './listener.ts';
import { hintsOf, type Notification } from './notifications.ts';
import type { PoolSource } from './primary-pool.ts';

/** Those that have said nothing for a while are forgotten: two periods after they last did, at the latest. */
const OTHERS_PERIOD_MS = 30_000;
/** Assumed where nothing is heard. */
const UNHEARD_OTHERS = 4;

export interface HintsParams extends Omit<AnnouncerParams, 'countOthers'> {
  readonly source: PoolSource;
  /** False: others are told, but nothing is heard of them. */
  readonly isListening: boolean;
  /** Work was committed that may have been due for long. */
  readonly onLateWork: () => void;
}

/** Tells the watchers of this process what happens here and elsewhere, and the other processes what happens here. */
export class Hints {
  readonly #params: HintsParams;
  readonly #board = new HintBoard();
  readonly #announcer: Announcer;
  readonly #listener: Listener | null;
  /** Who was heard in this period, and how many in the one before. */
  readonly #others = new Set<string>();
  #othersBefore = 0;
  #periodEndsAt = 0;

  constructor(params: HintsParams) {
    this.#params = params;
    this.#announcer = new Announcer({
      ...params,
      countOthers: () => (params.isListening ? Math.max(this.#others.size, this.#othersBefore) : UNHEARD_OTHERS),
    });
    this.#listener = params.isListening
      ? new Listener({ ...params, onNotification: (notification) => this.#take(notification) })
      : null;
  }

  /** Resolves when it hears of others, or cannot for the time being. */
  async start(): Promise<void> {
    await this.#listener?.start();
  }

  watch(listener: (hint: StorageHint) => void): () => void {
    return this.#board.watch(listener);
  }

  postWork(names: readonly string[]): void {
    if (names.length === 0) return;
    this.#board.postWork(names);
    this.#announcer.announceWork(names);
  }

  postFinished(jobIds: readonly string[]): void {
    if (jobIds.length === 0) return;
    this.#board.postFinished(jobIds);
    this.#announcer.announceFinished(jobIds);
  }

  postSignals(jobIds: readonly string[]): void {
    if (jobIds.length === 0) return;
    this.#board.postSignals(jobIds);
    this.#announcer.announceSignals(jobIds);
  }

  postSchedules(): void {
    this.#board.post({ kind: 'schedules' });
    this.#announcer.announceSchedules();
  }

  async close(): Promise<void> {
    this.#board.clear();
    await Promise.all([this.#announcer.close(), this.#listener?.close()]);
  }

  #take(notification: Notification): void {
    if (notification.origin === this.#params.origin) return;
    if (notification.origin !== null) this.#count(notification.origin);
    if (notification.isLate) this.#params.onLateWork();
    for (const hint of hintsOf(notification)) this.#board.post(hint);
  }

  #count(origin: string): void {
    const now = this.#params.runtime.monotonicNow();
    if (now >= this.#periodEndsAt) {
      this.#othersBefore = this.#others.size;
      this.#others.clear();
      this.#periodEndsAt = now + OTHERS_PERIOD_MS;
    }
    this.#others.add(origin);
  }
}
