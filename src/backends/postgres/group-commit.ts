import { ReseolioError } from '../../core/errors.ts';

/** Items that wait for a statement; more are refused: a server that slow is not going to catch up. */
const MAX_WAITING_ITEMS = 200_000;
/** One statement takes on no more calls once it has as much. One call may have more. */
const MAX_ITEMS = 1000;
const MAX_BYTES = 8_388_608;

export interface GroupCommitParams<Item, Result> {
  /** Answers by position. */
  readonly commit: (items: readonly Item[]) => Promise<Result[]>;
  readonly bytesOf: (item: Item) => number;
  /** How many statements may be under way at once. */
  readonly maxInFlight: number;
}

interface Call<Item, Result> {
  readonly items: readonly Item[];
  readonly resolve: (results: Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts what is submitted in one turn, and what comes while statements are under way, into one statement: one round trip
 * and one commit for all. A lone call waits for nobody.
 */
export class GroupCommit<Item, Result> {
  readonly #params: GroupCommitParams<Item, Result>;
  #waiting: Call<Item, Result>[] = [];
  #waitingItems = 0;
  #inFlight = 0;
  #isScheduled = false;

  constructor(params: GroupCommitParams<Item, Result>) {
    this.#params = params;
  }

  submit(items: readonly Item[]): Promise<Result[]> {
    if (this.#waitingItems >= MAX_WAITING_ITEMS) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#waitingItems += items.length;
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
    });
  }

  #take(): Call<Item, Result>[] {
    let count = 0;
    let items = 0;
    let bytes = 0;
    while (count < this.#waiting.length && items < MAX_ITEMS && bytes < MAX_BYTES) {
      for (const item of (this.#waiting[count] as Call<Item, Result>).items) bytes += this.#params.bytesOf(item);
      items += (this.#waiting[count++] as Call<Item, Result>).items.length;
    }
    this.#waitingItems -= items;
    return this.#waiting.splice(0, count);
  }

  async #commit(calls: readonly Call<Item, Result>[]): Promise<void> {
    this.#inFlight++;
    try {
      const results = await this.#params.commit(calls.flatMap(({ items }) => items));
      let start = 0;
      for (const { items, resolve } of calls) {
        resolve(results.slice(start, start + items.length));
        start += items.length;
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
    this.#inFlight--;
    this.#schedule();
  }
}

function overloaded(): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `${MAX_WAITING_ITEMS} jobs wait for the server already: wait for some of the calls before making more`,
  );
}
