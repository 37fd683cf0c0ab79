import type { Lease } from '../../src/core/job.ts';
import type { ClaimedJob, NewJob, SettleResult, Storage } from '../../src/core/storage.ts';
import { disguiseJobs, override } from './override-storage.ts';

/** A mistake that a storage could make, as a wrapper around one that makes none. */
export interface PlantedBug {
  readonly plant: (storage: Storage) => Storage;
  /** One of the rules that must notice, as `topic: sentence`. */
  readonly brokenRule: string;
  /** Whether random operations must notice too. */
  readonly isSeenByModel: boolean;
}

export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  'claims a job twice': {
    plant: claimTwice,
    brokenRule: 'claim: gives each job once',
    isSeenByModel: true,
  },
  'forgets the fence': {
    plant: forgetFence,
    brokenRule: 'leases: a worker that lost its lease cannot settle, whatever the outcome',
    isSeenByModel: true,
  },
  'extends leases that are lost': {
    plant: (storage) => override(storage, { extendLeases: async ({ leases }) => leases.map(() => 'held' as const) }),
    brokenRule: 'leases: refuses to extend what was reclaimed, given to another, or settled',
    isSeenByModel: true,
  },
  'ignores priority': {
    plant: ignorePriority,
    brokenRule: 'claim: orders by priority, then due time, then enqueue order',
    isSeenByModel: true,
  },
  'starves all names but the first': {
    plant: starveNames,
    brokenRule: 'claim: deals the limit out one job a name a turn',
    isSeenByModel: true,
  },
  'runs delayed jobs at once': {
    plant: ignoreDelay,
    brokenRule: 'claim: leaves a job alone until it is due',
    isSeenByModel: true,
  },
  'drops idempotency keys': {
    plant: dropKeys,
    brokenRule: 'idempotency: gives the job that already has the key, and stores nothing',
    isSeenByModel: true,
  },
  'makes a second job of a repeated enqueue': {
    plant: forgetIds,
    brokenRule: 'enqueue: takes a repeated id for a repeat of the same call',
    isSeenByModel: true,
  },
  'acknowledges a settle without storing it': {
    plant: acknowledgeOnly,
    brokenRule: 'settle: success stores the result and ends the job',
    isSeenByModel: true,
  },
  'takes the repeat of a settle for a lost lease': {
    plant: forgetRepeats,
    brokenRule: 'settle: a repeat of a settle is told what is, and changes nothing',
    isSeenByModel: true,
  },
  'lets counts drift': {
    plant: driftCounts,
    brokenRule: 'counts: are not moved by what changes nothing',
    isSeenByModel: true,
  },
  'keeps the key of a pruned job': {
    plant: keepPrunedKeys,
    brokenRule: 'idempotency: frees the key when the job is pruned',
    isSeenByModel: true,
  },
  'loses the history of lost attempts': {
    plant: (storage) =>
      override(storage, {
        getAttempts: async (params) =>
          (await storage.getAttempts(params)).filter(({ outcome }) => outcome === 'failed'),
      }),
    brokenRule: 'reclaim: puts a lost job back, due now, with the lost attempt in its history',
    isSeenByModel: true,
  },
  'lists a page too late': {
    plant: (storage) =>
      override(storage, {
        listJobs: (params) => storage.listJobs({ ...params, offset: params.offset === 0 ? 0 : params.offset + 1 }),
      }),
    brokenRule: 'reads and lists: pages by offset and limit, with the total of all pages',
    isSeenByModel: true,
  },
  'answers after it was closed': {
    plant: (storage) => override(storage, { close: async () => {} }),
    brokenRule: 'close: rejects every later call with the code stopped',
    isSeenByModel: false,
  },
};

function claimTwice(storage: Storage): Storage {
  let last: ClaimedJob | null = null;
  return override(storage, {
    claim: async (params) => {
      const result = await storage.claim(params);
      const again = last !== null && result.jobs.length < params.limit && params.names.includes(last.name);
      if (again && last !== null) result.jobs.push(last);
      last = result.jobs[0] ?? null;
      return result;
    },
  });
}

function forgetFence(storage: Storage): Storage {
  const held = new Map<string, Lease>();
  return override(storage, {
    claim: async (params) => {
      const result = await storage.claim(params);
      for (const { id, attempt } of result.jobs) held.set(id, { jobId: id, attempt, token: params.leaseToken });
      return result;
    },
    settle: ({ settlements }) =>
      storage.settle({
        settlements: settlements.map(({ lease, outcome }) => ({ lease: held.get(lease.jobId) ?? lease, outcome })),
      }),
  });
}

function ignorePriority(storage: Storage): Storage {
  const priorities = new Map<string, number>();
  const disguised = disguiseJobs(storage, (job) => ({ ...job, priority: priorities.get(job.id) ?? 0 }));
  return override(disguised, {
    enqueue: ({ jobs }) => {
      for (const { id, priority } of jobs) if (!priorities.has(id)) priorities.set(id, priority);
      return storage.enqueue({ jobs: jobs.map((job) => ({ ...job, priority: 0 })) });
    },
  });
}

function starveNames(storage: Storage): Storage {
  return override(storage, {
    claim: async (params) => {
      const jobs: ClaimedJob[] = [];
      for (const name of params.names) {
        const taken = await storage.claim({ ...params, names: [name], limit: params.limit - jobs.length });
        jobs.push(...taken.jobs);
      }
      return { jobs, nextDueInMs: (await storage.claim({ ...params, limit: 0 })).nextDueInMs };
    },
  });
}

function ignoreDelay(storage: Storage): Storage {
  return override(storage, {
    enqueue: ({ jobs }) => storage.enqueue({ jobs: jobs.map((job) => ({ ...job, delayMs: null })) }),
  });
}

function dropKeys(storage: Storage): Storage {
  const keys = new Map<string, string | null>();
  const disguised = disguiseJobs(storage, (job) => ({ ...job, idempotencyKey: keys.get(job.id) ?? null }));
  return override(disguised, {
    enqueue: ({ jobs }) => {
      for (const { id, idempotencyKey } of jobs) keys.set(id, idempotencyKey);
      return storage.enqueue({ jobs: jobs.map((job) => ({ ...job, idempotencyKey: null })) });
    },
  });
}

function forgetIds(storage: Storage): Storage {
  const known = new Set<string>();
  const rename = ({ id, ...job }: NewJob): NewJob => {
    const isRepeat = known.has(id);
    known.add(id);
    // A new id of the same length: the first digit goes up by one.
    return { ...job, id: isRepeat ? `${(Number.parseInt(id.charAt(0), 16) + 1) % 16}${id.slice(1)}` : id };
  };
  return override(storage, { enqueue: ({ jobs }) => storage.enqueue({ jobs: jobs.map(rename) }) });
}

function acknowledgeOnly(storage: Storage): Storage {
  return override(storage, {
    settle: async ({ settlements }) => {
      const stored = await storage.getJobs({ jobIds: settlements.map(({ lease }) => lease.jobId) });
      return stored.map((job): SettleResult => {
        if (job === null) return { status: 'lease_lost' };
        return { status: 'settled', state: 'success', runAt: job.runAt };
      });
    },
  });
}

function forgetRepeats(storage: Storage): Storage {
  return override(storage, {
    settle: async ({ settlements }) => {
      const held = await storage.getJobs({ jobIds: settlements.map(({ lease }) => lease.jobId) });
      const results = await storage.settle({ settlements });
      return results.map((result, i) => (held[i]?.state === 'running' ? result : { status: 'lease_lost' }));
    },
  });
}

function driftCounts(storage: Storage): Storage {
  let deduplicatedCount = 0;
  return override(storage, {
    enqueue: async (params) => {
      const results = await storage.enqueue(params);
      deduplicatedCount += results.filter(({ deduplicated }) => deduplicated).length;
      return results;
    },
    counts: async () =>
      (await storage.counts()).map((count) => ({ ...count, pending: count.pending + deduplicatedCount })),
  });
}

function keepPrunedKeys(storage: Storage): Storage {
  const owners = new Map<string, string>();
  return override(storage, {
    enqueue: async ({ jobs }) => {
      const results = await storage.enqueue({ jobs });
      return results.map((result, i) => {
        const { name, idempotencyKey } = jobs[i] as NewJob;
        if (idempotencyKey === null) return result;
        const pair = JSON.stringify([name, idempotencyKey]);
        const owner = owners.get(pair);
        if (owner === undefined) owners.set(pair, result.jobId);
        return owner === undefined || owner === result.jobId ? result : { jobId: owner, deduplicated: true };
      });
    },
  });
}
