import { ReseolioError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ClaimParams, ClaimResult } from '../../core/storage.ts';
import { Floors } from './floors.ts';
import type { Lanes } from './lanes.ts';
import { claimedBeforeQuery, claimQuery, listLanes, readClaim, readClaimed } from './operations/claim.ts';
import type { RunQuery } from './query.ts';

/** Tokens of claims whose outcome is not known, the oldest forgotten first. */
const MAX_UNKNOWN = 1000;

export interface ClaimsParams {
  readonly run: RunQuery;
  readonly runtime: Pick<Runtime, 'monotonicNow'>;
  readonly lanes: Lanes;
}

/** Claims, and what they know from those before: where to search, and what may have been taken already. */
export class Claims {
  readonly #params: ClaimsParams;
  readonly #floors: Floors;
  readonly #unknown = new Set<string>();

  constructor(params: ClaimsParams) {
    this.#params = params;
    this.#floors = new Floors(params.runtime);
  }

  /** The next claim looks everywhere: work was committed that may have been due for long. */
  searchEverywhere(): void {
    this.#floors.forget();
  }

  async claim(params: ClaimParams): Promise<ClaimResult> {
    try {
      const result = (await this.#claimedBefore(params)) ?? (await this.#claimNew(params));
      this.#unknown.delete(params.leaseToken);
      return result;
    } catch (error) {
      this.#remember(params.leaseToken);
      // A server that crashed has forgotten claims: what they took waits again, where no search would begin.
      this.searchEverywhere();
      throw error;
    }
  }

  /** What an earlier call with this token took, if its answer was lost. */
  async #claimedBefore(params: ClaimParams): Promise<ClaimResult | null> {
    if (!this.#unknown.has(params.leaseToken)) return null;
    const { run, lanes } = this.#params;
    const rows = await run(claimedBeforeQuery(params));
    if (rows.length === 0) return null;
    await lanes.learn(rows.map(([, lane]) => Number(lane)));
    return { jobs: readClaimed(rows, params, lanes), nextDueInMs: 0 };
  }

  async #claimNew(params: ClaimParams): Promise<ClaimResult> {
    const { run, lanes } = this.#params;
    for (;;) {
      let list = listLanes(params.names, lanes);
      let known = 0;
      const rows = await run(() => {
        list = listLanes(params.names, lanes);
        known = lanes.lastNumber;
        return claimQuery(params, list, this.#floors.begin(list.ids), known);
      });
      const answer = readClaim(rows, params, lanes);
      if (answer === null) {
        await lanes.load();
        if (lanes.lastNumber <= known) throw lanesHidden();
        continue;
      }
      const { jobs, nextDueInMs, horizon, lastTaken } = answer;
      this.#floors.observe({ lanes: list.ids, lastTaken, isFull: jobs.length >= params.limit, horizon });
      return { jobs, nextDueInMs };
    }
  }

  #remember(token: string): void {
    this.#unknown.add(token);
    if (this.#unknown.size <= MAX_UNKNOWN) return;
    for (const oldest of this.#unknown) {
      this.#unknown.delete(oldest);
      return;
    }
  }
}

function lanesHidden(): ReseolioError {
  return new ReseolioError('storage_unavailable', 'the server speaks of lanes that it does not show: check its tables');
}
