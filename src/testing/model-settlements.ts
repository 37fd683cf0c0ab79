import assert from 'node:assert/strict';
import { isFinished, type Lease } from '../core/job.ts';
import type { AttemptOutcome, Settlement, SettleResult, Suspension } from '../core/storage.ts';
import type { Digits } from './digits.ts';
import { KnownItems } from './known-items.ts';
import { DELAYS_MS, drawLease, type LeaseSpec } from './model-draft.ts';
import { drawSuspension, type LinkSpec, type StepOperation, type SuspensionSpec } from './model-step-operation.ts';
import { errorOf, succeeded } from './rule-context.ts';
import type { StoragePair } from './storage-pair.ts';

const LATE_LEASES = 30;

export interface SettlementSpec extends LeaseSpec {
  readonly outcome: AttemptOutcome['kind'];
  readonly delayMs: number;
  /** null unless the outcome is a suspension. */
  readonly suspension: SuspensionSpec | null;
}

export interface ModelSettlementsParams {
  readonly pair: StoragePair;
  readonly jobIds: KnownItems<string>;
  readonly leases: KnownItems<Lease>;
}

/** How a random run ends attempts. */
export class ModelSettlements {
  readonly #params: ModelSettlementsParams;

  constructor(params: ModelSettlementsParams) {
    this.#params = params;
  }

  async settle(specs: readonly SettlementSpec[]): Promise<void> {
    const settlements: Settlement[] = [];
    for (const spec of specs) {
      const lease = findLease(this.#params.leases, spec);
      if (lease !== null) settlements.push({ lease, outcome: await this.#outcomeOf(spec, lease) });
    }
    for (const batch of this.#toBatches(settlements)) await this.#compare(batch);
  }

  async awaitEachOther({ links, isOpen }: Extract<StepOperation, { kind: 'awaitEachOther' }>): Promise<void> {
    const running = (await this.#listRunning()).slice(-links.length);
    const settlements: Settlement[] = [];
    for (const [i, lease] of running.entries()) {
      const next = running[(i + 1) % running.length] as Lease;
      if (isOpen && i === running.length - 1) break;
      settlements.push({ lease, outcome: await this.#suspension(links[i] as LinkSpec, [next.jobId], lease) });
    }
    for (const batch of this.#toBatches(settlements)) await this.#compare(batch);
  }

  /** In which order the settlements of different jobs take effect is left open; where it matters, each goes alone. */
  #toBatches(settlements: readonly Settlement[]): (readonly Settlement[])[] {
    const now = this.#params.pair.now();
    const isOrderOpen = settlements.every(({ outcome }) => {
      if (outcome.kind !== 'suspend' || outcome.awaits.length === 0) return true;
      const { wakeAt, signalsSeen } = outcome;
      return wakeAt === null ? signalsSeen !== null : wakeAt >= now;
    });
    return isOrderOpen ? [settlements] : settlements.map((settlement) => [settlement]);
  }

  async #compare(settlements: readonly Settlement[]): Promise<void> {
    const { pair } = this.#params;
    const { expected, actual } = await pair.ask((storage) => storage.settle({ settlements }));
    const jobs = await pair.model.getJobs({ jobIds: settlements.map(({ lease }) => lease.jobId) });
    // For the same reason the answer may, or may not, know that another settlement has woken the job.
    const isRunAtOpen = jobs.map((job) => settlements.length > 1 && job?.isSuspended === true);
    const comparable = (result: SettleResult, i: number): unknown =>
      result.status === 'settled' && isRunAtOpen[i] === true ? { ...result, runAt: 'open' } : result;
    assert.deepEqual(actual.map(comparable), expected.map(comparable));
  }

  async #outcomeOf({ outcome: kind, delayMs, suspension }: SettlementSpec, lease: Lease): Promise<AttemptOutcome> {
    const error = errorOf(`attempt ${lease.attempt} under ${lease.token}`);
    switch (kind) {
      case 'success':
        return succeeded(delayMs === 0 ? undefined : `result of ${lease.token}`);
      case 'retry':
        return { kind, error, delayMs };
      case 'dead':
        return { kind, error };
      case 'release':
        return { kind };
      case 'suspend':
        assert.ok(suspension !== null);
        return this.#suspensionOf(suspension, lease);
    }
  }

  async #suspensionOf(spec: SuspensionSpec, lease: Lease): Promise<Suspension> {
    const known = spec.isOfClaimed ? await this.#listClaimed() : this.#params.jobIds;
    const awaits = spec.awaits.map((place) => known.fromNewest(place)).filter((id) => id !== null);
    return this.#suspension(spec, awaits, lease);
  }

  async #suspension(
    { wakeOffsetMs, signalsOffset }: LinkSpec,
    awaits: readonly string[],
    { jobId }: Lease,
  ): Promise<Suspension> {
    const { pair } = this.#params;
    const [job] = await pair.model.getJobs({ jobIds: [jobId] });
    const signalCount = job?.signalCount ?? 0;
    return {
      kind: 'suspend',
      wakeAt: wakeOffsetMs === null ? null : pair.now() + wakeOffsetMs,
      awaits,
      signalsSeen: signalsOffset === null ? null : Math.max(0, signalCount + signalsOffset),
    };
  }

  /** The jobs claimed of late that have not finished: those for which a job may have to wait. */
  async #listClaimed(): Promise<KnownItems<string>> {
    const late = this.#lateLeases();
    const jobs = await this.#params.pair.model.getJobs({ jobIds: [...late.keys()] });
    const unfinished = new KnownItems<string>();
    for (const job of jobs) if (job !== null && !isFinished(job.state)) unfinished.add(job.id);
    return unfinished;
  }

  /** The leases given of late that are held. */
  async #listRunning(): Promise<Lease[]> {
    const late = this.#lateLeases();
    const jobs = await this.#params.pair.model.getJobs({ jobIds: [...late.keys()] });
    return jobs.flatMap((job) => (job?.state === 'running' ? (late.get(job.id) ?? []) : []));
  }

  /** The newest lease of each job. */
  #lateLeases(): Map<string, Lease> {
    return new Map(this.#params.leases.all.slice(-LATE_LEASES).map((lease) => [lease.jobId, lease]));
  }
}

export function drawSettlement(digits: Digits): SettlementSpec {
  const outcome = digits.pick(['success', 'retry', 'suspend', 'dead', 'suspend', 'release', 'retry'] as const);
  const suspension = outcome === 'suspend' ? drawSuspension(digits) : null;
  return { ...drawLease(digits), outcome, delayMs: digits.pick(DELAYS_MS), suspension };
}

export function findLease(leases: KnownItems<Lease>, { lease: place, isForged }: LeaseSpec): Lease | null {
  const lease = leases.fromNewest(place);
  return lease !== null && isForged ? { ...lease, token: `${lease.token}-forged` } : lease;
}
