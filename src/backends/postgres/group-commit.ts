import { ReseolioError } from '../../core/errors.ts';
import { isPassing } from './native-errors.ts';

/** Items that wait for a statement; more are refused: a server that slow is not going to catch up. */
const MAX_WAITING_ITEMS = 200_000;
/** One statement takes on no more calls once it has as much. One call may have more. */
const MAX_ITEMS = 1000;
export const MAX_STATEMENT_BYTES = 8_388_608;

/** The items of one call, which are stored together or not at all. */
export type Call<Item> = readonly Item[];

export interface GroupCommitParams<Item, Result> {
  /** Stores calls. Answers by position: with the results of a call, or a promise where they take longer than the rest. */
  readonly commit: (calls: readonly Call<Item>[]) => Promise<readonly (Result[] | Promise<Result[]>)[]>;
  readonly bytesOf: (item: Item) => number;
  /** How many statements may be under way at once. */
  readonly maxInFlight: number;
}

interface Waiting<Item, Result> {
  readonly call: Call<Item>;
  readonly resolve: (results: Result[] | Promise<Result[]>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts what is submitted in one turn, and what comes while statements are under way, into one statement: one round trip
 * and one commit for all. A lone call waits for nobody.
 */
export class GroupCommit<Item, Result> {
  readonly #params: GroupCommitParams<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #waitingItems = 0;
  #inFlight = 0;
  #isScheduled = false;

  constructor(params: GroupCommitParams<Item, Result>) {
    this.#params = params;
  }

  submit(call: Call<Item>): Promise<Result[]> {
    if (this.#waitingItems >= MAX_WAITING_ITEMS) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      this.#waitingItems += call.length;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#inFlight >= this.#params.maxInFlight) return;
    this.#isScheduled = true;
    // After the promise callbacks of this turn: calls that were woken by one answer go together.
    process.nextTick(() => {
      this.#isScheduled = false;
      void this.#commit(this.#take());
      // Where the batch is full, the rest may go as well.
      this.#schedule();
    });
  }

  #take(): Waiting<Item, Result>[] {
    const { bytesOf } = this.#params;
    let count = 0;
    let items = 0;
    let bytes = 0;
    for (const { call } of this.#waiting) {
      if (items >= MAX_ITEMS || bytes >= MAX_STATEMENT_BYTES) break;
      for (const item of call) bytes += bytesOf(item);
      items += call.length;
      count++;
    }
    this.#waitingItems -= items;
    return this.#waiting.splice(0, count);
  }

  async #commit(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.#inFlight++;
    const last = this.#waiting.at(-1);
    try {
      const results = await this.#params.commit(batch.map(({ call }) => call));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result[] | Promise<Result[]>);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      if (last !== undefined && isUnavailable(error)) this.#rejectUpTo(last, error);
    }
    this.#inFlight--;
    this.#schedule();
  }

  /** What waited all the time that a statement was given has waited as long as it may. */
  #rejectUpTo(last: Waiting<Item, Result>, error: unknown): void {
    const rejected = this.#waiting.splice(0, this.#waiting.indexOf(last) + 1);
    for (const { call, reject } of rejected) {
      this.#waitingItems -= call.length;
      reject(error);
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ReseolioError && error.code === 'storage_unavailable' && isPassing(error.cause);
}

/** `results`, which are those of all items of `calls`, call by call. */
export function splitResults<Item, Result>(calls: readonly Call<Item>[], results: readonly Result[]): Result[][] {
  let start = 0;
  return calls.map((call) => {
    const end = start + call.length;
    const ofCall = results.slice(start, end);
    start = end;
    return ofCall;
  });
}

function overloaded(): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `${MAX_WAITING_ITEMS} jobs wait for the server already: wait for some of the calls before making more`,
  );
}
