import type { Settlement } from '../../core/storage.ts';
import { GroupCommit, MAX_STATEMENT_BYTES, splitResults } from './group-commit.ts';
import { LEASE_LOST, planSettlements, readSettled, type Settled, settleQuery } from './operations/settle.ts';
import type { CommitSetting, RunQuery } from './query.ts';

/** One statement waits for the disk while the next is put together. */
const MAX_IN_FLIGHT = 2;

export interface SettlesParams {
  readonly run: RunQuery;
  readonly commit: CommitSetting;
}

/** Ends attempts: those that wait while others are under way go together. */
export class Settles {
  readonly #params: SettlesParams;
  readonly #group: GroupCommit<Settlement, Settled>;

  constructor(params: SettlesParams) {
    this.#params = params;
    this.#group = new GroupCommit({
      commit: async (calls) => splitResults(calls, await this.#commit(calls.flat())),
      bytesOf,
      maxInFlight: MAX_IN_FLIGHT,
    });
  }

  /** Resolves once the outcomes are durable. Those of many large results go in several statements. */
  async settle(settlements: readonly Settlement[]): Promise<Settled[]> {
    const calls = splitByBytes(settlements);
    if (calls.length === 1) return this.#group.submit(settlements);
    return (await Promise.all(calls.map((call) => this.#group.submit(call)))).flat();
  }

  async #commit(settlements: readonly Settlement[]): Promise<Settled[]> {
    const { run, commit } = this.#params;
    const results = settlements.map(() => LEASE_LOST);
    for (const places of planSettlements(settlements)) {
      const planned = places.map((place) => settlements[place] as Settlement);
      const settled = readSettled(planned.length, await run(settleQuery(planned, commit)));
      for (const [i, place] of places.entries()) results[place] = settled[i] as Settled;
    }
    return results;
  }
}

function bytesOf({ outcome }: Settlement): number {
  return outcome.kind === 'success' ? (outcome.result?.bytes.length ?? 0) : 0;
}

/** Parts of which each has as many bytes as one statement takes on, or is a single settlement. */
function splitByBytes(settlements: readonly Settlement[]): (readonly Settlement[])[] {
  const parts: Settlement[][] = [];
  let part: Settlement[] = [];
  let bytes = 0;
  for (const settlement of settlements) {
    bytes += bytesOf(settlement);
    if (part.length > 0 && bytes > MAX_STATEMENT_BYTES) {
      parts.push(part);
      part = [];
      bytes = bytesOf(settlement);
    }
    part.push(settlement);
  }
  return [...parts, part];
}
