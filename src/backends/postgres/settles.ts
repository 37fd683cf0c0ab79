import { isFinished } from '../../core/job.ts';
import type { Settlement, SettleResult } from '../../core/storage.ts';
import { type Call, GroupCommit, MAX_STATEMENT_BYTES, splitResults } from './group-commit.ts';
import type { Hints } from './hints.ts';
import { planByJob } from './operations/leases.ts';
import {
  LEASE_LOST,
  readSettled,
  type Settled,
  type SettledRows,
  settleApartQuery,
  settleQuery,
} from './operations/settle.ts';
import { isSuspension, suspendQuery } from './operations/suspend.ts';
import type { CommitSetting, RunQuery } from './query.ts';

/** One statement waits for the disk while the next is put together. */
const MAX_IN_FLIGHT = 2;

export interface SettlesParams {
  readonly run: RunQuery;
  readonly commit: CommitSetting;
  readonly hints: Pick<Hints, 'postFinished'>;
  /** Jobs of these lanes are due, or will be. */
  readonly onDue: (lanes: readonly number[]) => Promise<void>;
}

/** What a statement made of its settlements, by position; of those that are to be settled apart, how. */
type SettlePlanned = (planned: readonly Settlement[]) => Promise<readonly (Settled | Settlement)[]>;

/** Ends attempts: those that wait while others are under way go together. */
export class Settles {
  readonly #params: SettlesParams;
  readonly #plain: GroupCommit<Settlement, Settled>;
  /** Calls with suspensions, which lock the jobs that they await as well. */
  readonly #suspending: GroupCommit<Settlement, Settled>;
  /** What the others found to need more locks than theirs: settled apart, nobody is held up who holds others up. */
  readonly #apart: GroupCommit<Settlement, Settled>;

  constructor(params: SettlesParams) {
    this.#params = params;
    const group = (settle: SettlePlanned): GroupCommit<Settlement, Settled> => {
      const commit = async (calls: readonly Call<Settlement>[]) => {
        const settled = await commitPlanned(calls.flat(), settle);
        return splitResults(calls, settled).map((ofCall) => this.#finish(ofCall));
      };
      return new GroupCommit({ commit, bytesOf, maxInFlight: MAX_IN_FLIGHT });
    };
    this.#plain = group((planned) => this.#settle(planned));
    this.#suspending = group((planned) => this.#settle(planned));
    this.#apart = group((planned) => this.#settleApart(planned));
  }

  /** Resolves once the outcomes are durable. Those of many large results go in several statements. */
  async settle(settlements: readonly Settlement[]): Promise<SettleResult[]> {
    const calls = splitByBytes(settlements);
    const submit = (call: Call<Settlement>): Promise<Settled[]> =>
      (call.some(isSuspension) ? this.#suspending : this.#plain).submit(call);
    const settled = calls.length === 1 ? await submit(settlements) : (await Promise.all(calls.map(submit))).flat();
    await this.#tell(settlements, settled);
    return settled.map(({ result }) => result);
  }

  async #tell(settlements: readonly Settlement[], settled: readonly Settled[]): Promise<void> {
    const finished: string[] = [];
    const lanes: number[] = [];
    for (const [i, { result, lane }] of settled.entries()) {
      if (result.status === 'lease_lost') continue;
      if (isFinished(result.state)) finished.push((settlements[i] as Settlement).lease.jobId);
      else if (result.state === 'pending' && lane !== null) lanes.push(lane);
    }
    this.#params.hints.postFinished(finished);
    await this.#params.onDue(lanes);
  }

  async #settle(planned: readonly Settlement[]): Promise<(Settled | Settlement)[]> {
    const { run, commit } = this.#params;
    const suspensions = planned.filter(isSuspension);
    const others = planned.filter((settlement) => !isSuspension(settlement));
    const byJob = new Map<string, Settled | Settlement>();
    const note = (settlements: readonly Settlement[], { settled }: SettledRows): void => {
      for (const [i, { lease }] of settlements.entries()) byJob.set(lease.jobId, settled[i] as Settled | Settlement);
    };
    // What ends comes first: who awaits it need not be woken.
    if (others.length > 0) note(others, readSettled(others, await run(settleQuery(others, commit))));
    if (suspensions.length > 0) {
      note(suspensions, readSettled(suspensions, await run(suspendQuery(suspensions, commit))));
    }
    return planned.map(({ lease }) => byJob.get(lease.jobId) as Settled | Settlement);
  }

  async #settleApart(planned: readonly Settlement[]): Promise<readonly (Settled | Settlement)[]> {
    const { run, commit, onDue } = this.#params;
    const { settled, wokenLanes } = readSettled(planned, await run(settleApartQuery(planned, commit)));
    await onDue(wokenLanes);
    return settled;
  }

  /** What a call ended with, once what of it is to be settled apart is so too. */
  #finish(settled: readonly (Settled | Settlement)[]): Settled[] | Promise<Settled[]> {
    const apart = settled.filter((item) => 'outcome' in item);
    if (apart.length === 0) return settled as Settled[];
    return this.#apart.submit(apart).then((results) => {
      let next = 0;
      return settled.map((item) => ('outcome' in item ? (results[next++] as Settled) : item));
    });
  }
}

/**
 * Settles by statements of which none names a job twice. Where one is to be settled apart, so is what comes after it of the
 * same job: the first of two settlements of one lease stands.
 */
async function commitPlanned(
  settlements: readonly Settlement[],
  settle: SettlePlanned,
): Promise<(Settled | Settlement)[]> {
  const results: (Settled | Settlement)[] = settlements.map(() => LEASE_LOST);
  const apart = new Set<string>();
  for (const places of planByJob(settlements.map(({ lease }) => lease))) {
    const isApart = (place: number): boolean => apart.has((settlements[place] as Settlement).lease.jobId);
    for (const place of places.filter(isApart)) results[place] = settlements[place] as Settlement;
    const others = places.filter((place) => !isApart(place));
    if (others.length === 0) continue;
    const settled = await settle(others.map((place) => settlements[place] as Settlement));
    for (const [i, place] of others.entries()) {
      const item = settled[i] as Settled | Settlement;
      results[place] = item;
      if ('outcome' in item) apart.add(item.lease.jobId);
    }
  }
  return results;
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
