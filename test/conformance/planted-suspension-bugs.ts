import { isFinished, type JobRecord, type JobSummary, waitCycleError } from '../../src/core/job.ts';
import { NEVER_DUE } from '../../src/core/options.ts';
import type { ChangeResult, Settlement, SettleResult, Storage, Suspension } from '../../src/core/storage.ts';
import { disguiseJobs, override } from './override-storage.ts';
import type { PlantedBug } from './planted-bugs.ts';

/** More than a job is ever sent. */
const TOO_MANY_SIGNALS = 1_000_000;

/** Mistakes that a storage could make with suspended jobs, and with those that are to stop. */
export const PLANTED_SUSPENSION_BUGS: Readonly<Record<string, PlantedBug>> = {
  'counts an attempt that was suspended': {
    plant: (storage) => disguiseJobs(storage, (job) => (job.isSuspended ? { ...job, attempt: job.attempt + 1 } : job)),
    brokenRule: 'suspensions: puts the job back and does not count the attempt',
    isSeenByModel: true,
  },
  'hides that a job is suspended': {
    plant: (storage) => disguiseJobs(storage, (job) => ({ ...job, isSuspended: false })),
    brokenRule: 'suspensions: puts the job back and does not count the attempt',
    isSeenByModel: true,
  },
  'takes a resumed attempt for another': {
    plant: (storage) =>
      override(storage, {
        claim: async (params) => {
          const { jobs, nextDueInMs } = await storage.claim(params);
          return { jobs: jobs.map((job) => ({ ...job, isResumed: false })), nextDueInMs };
        },
      }),
    brokenRule: 'suspensions: tells the worker that claims it that the attempt goes on',
    isSeenByModel: true,
  },
  'never wakes by time': {
    plant: (storage) => changeSuspensions(storage, async (suspension) => ({ ...suspension, wakeAt: null })),
    brokenRule: 'suspensions: time wakes the job, and a claim says how long that takes',
    isSeenByModel: true,
  },
  'loses the wake-up by a job that ended before': {
    plant: (storage) =>
      changeSuspensions(storage, async (suspension) => {
        const jobs = await storage.getJobs({ jobIds: suspension.awaits });
        const isLive = (job: JobRecord | null | undefined): boolean => job != null && !isFinished(job.state);
        return { ...suspension, awaits: suspension.awaits.filter((_, i) => isLive(jobs[i])) };
      }),
    brokenRule: 'waking: is due at once if what it awaits has ended already, or is not there',
    isSeenByModel: true,
  },
  'waits for ever for a job that is not there': {
    plant: (storage) =>
      changeSuspensions(storage, async (suspension) => {
        const jobs = await storage.getJobs({ jobIds: suspension.awaits });
        return { ...suspension, awaits: suspension.awaits.filter((_, i) => jobs[i] !== null) };
      }),
    brokenRule: 'waking: is due at once if what it awaits has ended already, or is not there',
    isSeenByModel: true,
  },
  'waits for the first of many jobs alone': {
    plant: (storage) =>
      changeSuspensions(storage, async ({ awaits, ...rest }) => ({ ...rest, awaits: awaits.slice(0, 1) })),
    brokenRule: 'waking: is woken by the first of what it waits for: a job, a signal or time',
    isSeenByModel: true,
  },
  'wakes nobody when a job is cancelled': {
    plant: cancelSilently,
    brokenRule: 'waking: wakes a job when one that it awaits has ended, however it did',
    isSeenByModel: false,
  },
  'is woken by signals that it does not wait for': {
    plant: (storage) =>
      changeSuspensions(storage, async (suspension, job) => ({
        ...suspension,
        signalsSeen: suspension.signalsSeen ?? job.signalCount,
      })),
    brokenRule: 'waking: is woken neither by other jobs nor, where it does not wait for them, by signals',
    isSeenByModel: true,
  },
  'loses the wake-up by a signal that came before': {
    plant: (storage) =>
      changeSuspensions(storage, async (suspension, { signalCount }) => {
        const { signalsSeen } = suspension;
        return { ...suspension, signalsSeen: signalsSeen === null ? null : Math.max(signalsSeen, signalCount) };
      }),
    brokenRule: 'signals: lets a job that waits for what was sent before go on at once',
    isSeenByModel: true,
  },
  'is woken by any signal, however many it has seen': {
    plant: (storage) =>
      changeSuspensions(storage, async (suspension, { signalCount }) => {
        const { signalsSeen } = suspension;
        return { ...suspension, signalsSeen: signalsSeen === null ? null : Math.min(signalsSeen, signalCount) };
      }),
    brokenRule: 'signals: does not wake a job that waits for more than came',
    isSeenByModel: true,
  },
  'lets jobs wait for each other': {
    plant: (storage) => overlookCircles(storage, () => true),
    brokenRule:
      'jobs that wait for each other: ends the second of two jobs that would wait for each other, which wakes the first',
    isSeenByModel: true,
  },
  'lets a job wait for itself': {
    plant: (storage) => overlookCircles(storage, ({ awaits }, { id }) => awaits.includes(id)),
    brokenRule: 'jobs that wait for each other: ends a job that would wait for itself',
    isSeenByModel: true,
  },
  'sees a circle where a signal or time may wake a job': {
    plant: (storage) => endCircles(storage, isCircleOfTwo(storage)),
    brokenRule: 'jobs that wait for each other: sees no circle where time or a signal may wake one of them',
    isSeenByModel: true,
  },
  'sees a circle where a job comes to itself, though another that it awaits can end': {
    plant: (storage) => endCircles(storage, comesToItself(storage)),
    brokenRule:
      'jobs that wait for each other: sees no circle while another that is awaited runs, and ends that one once it waits in the circle as well',
    isSeenByModel: true,
  },
  'acknowledges a request to stop and forgets it': {
    plant: (storage) => requestStops(storage, () => false),
    brokenRule:
      'asking running jobs to stop: a job that is given back or suspended is cancelled, and its attempt stands',
    isSeenByModel: true,
  },
  'forgets a request to stop when the attempt fails': {
    plant: (storage) => requestStops(storage, ({ outcome }) => outcome.kind !== 'retry'),
    brokenRule: 'asking running jobs to stop: a job that fails is cancelled, the attempt in its history',
    isSeenByModel: true,
  },
  'suspends a job that was asked to stop': {
    plant: (storage) => requestStops(storage, ({ outcome }) => outcome.kind !== 'suspend'),
    brokenRule:
      'asking running jobs to stop: a job that is given back or suspended is cancelled, and its attempt stands',
    isSeenByModel: true,
  },
  'tells no worker that its job is to stop': {
    plant: (storage) =>
      override(storage, {
        extendLeases: async (params) =>
          (await storage.extendLeases(params)).map((status) => (status === 'cancel_requested' ? 'held' : status)),
      }),
    brokenRule: 'asking running jobs to stop: tells the worker when it extends the lease',
    isSeenByModel: true,
  },
  'asks jobs to stop without being told to': {
    plant: (storage) =>
      override(storage, { cancel: ({ jobIds }) => storage.cancel({ jobIds, isRunningIncluded: true }) }),
    brokenRule: 'cancel and retry: cancels only what is pending, retries only what is dead',
    isSeenByModel: true,
  },
};

/** Suspends jobs for something else than was asked for, one settlement a call. */
function changeSuspensions(
  storage: Storage,
  change: (suspension: Suspension, job: JobRecord) => Promise<Suspension>,
): Storage {
  const changeOne = async ({ lease, outcome }: Settlement): Promise<Settlement> => {
    const [job] = await storage.getJobs({ jobIds: [lease.jobId] });
    if (outcome.kind !== 'suspend' || job == null) return { lease, outcome };
    return { lease, outcome: await change(outcome, job) };
  };
  return override(storage, {
    settle: async ({ settlements }) => {
      const results: SettleResult[] = [];
      for (const settlement of settlements) {
        results.push(...(await storage.settle({ settlements: [await changeOne(settlement)] })));
      }
      return results;
    },
  });
}

function overlookCircles(
  storage: Storage,
  isOverlooked: (suspension: Suspension, job: JobSummary) => boolean,
): Storage {
  return changeSuspensions(storage, async (suspension, job) => {
    if (!isOverlooked(suspension, job)) return suspension;
    return { ...suspension, signalsSeen: suspension.signalsSeen ?? TOO_MANY_SIGNALS };
  });
}

type FindCircle = (
  jobId: string,
  suspension: Suspension,
  suspensions: ReadonlyMap<string, Suspension>,
) => Promise<boolean>;

/** Ends jobs where `isCircle` says so, which is told how others were suspended. */
function endCircles(storage: Storage, isCircle: FindCircle): Storage {
  const suspensions = new Map<string, Suspension>();
  return override(storage, {
    settle: async ({ settlements }) => {
      const results: SettleResult[] = [];
      for (const { lease, outcome } of settlements) {
        const isEnded = outcome.kind === 'suspend' && (await isCircle(lease.jobId, outcome, suspensions));
        if (outcome.kind === 'suspend') suspensions.set(lease.jobId, outcome);
        const error = waitCycleError(lease.jobId);
        const changed: Settlement = isEnded ? { lease, outcome: { kind: 'dead', error } } : { lease, outcome };
        results.push(...(await storage.settle({ settlements: [changed] })));
      }
      return results;
    },
  });
}

/** Looks for circles of two without asking how else the jobs could be woken. */
function isCircleOfTwo(storage: Storage): FindCircle {
  return async (jobId, { awaits }, suspensions) => {
    const jobs = await storage.getJobs({ jobIds: awaits });
    return jobs.some((job) => job?.isSuspended === true && suspensions.get(job.id)?.awaits.includes(jobId) === true);
  };
}

/** Asks whether a job comes to itself through others that wait for nothing but jobs, and not what else it comes to. */
function comesToItself(storage: Storage): FindCircle {
  const isCircle: FindCircle = async (jobId, { wakeAt, awaits, signalsSeen }, suspensions) => {
    if (wakeAt !== null || signalsSeen !== null) return false;
    const jobs = await storage.getJobs({ jobIds: awaits });
    if (jobs.some((job) => job === null || isFinished(job.state))) return false;
    if (awaits.includes(jobId)) return true;
    for (const job of jobs) {
      const next = job?.isSuspended === true && job.runAt === NEVER_DUE ? suspensions.get(job.id) : undefined;
      if (next !== undefined && (await isCircle(jobId, next, suspensions))) return true;
    }
    return false;
  };
  return isCircle;
}

/** Cancels jobs that wait by hiding them from all who look. */
function cancelSilently(storage: Storage): Storage {
  const cancelled = new Set<string>();
  const disguised = disguiseJobs(storage, (job) =>
    cancelled.has(job.id) ? { ...job, state: 'cancelled', finishedAt: job.createdAt } : job,
  );
  return override(disguised, {
    cancel: async ({ jobIds }) => {
      const jobs = await disguised.getJobs({ jobIds });
      return jobs.map((job): ChangeResult => {
        if (job === null) return { status: 'not_found' };
        if (job.state !== 'pending') return { status: 'refused', state: job.state };
        cancelled.add(job.id);
        return { status: 'changed', state: 'cancelled' };
      });
    },
  });
}

/** Notes requests to stop, and thinks of them at the end of those attempts alone for which `isKept`. */
function requestStops(storage: Storage, isKept: (settlement: Settlement) => boolean): Storage {
  const requested = new Map<string, string | null>();
  const isRequested = (job: JobSummary): boolean =>
    job.state === 'running' && requested.get(job.id) === `${job.workerId} ${job.startedAt}`;
  const disguised = disguiseJobs(storage, (job) => ({ ...job, isCancelRequested: isRequested(job) }));
  const pass = async (jobIds: readonly string[]): Promise<void> => {
    const jobs = await disguised.getJobs({ jobIds });
    const asked = jobs.flatMap((job) => (job?.isCancelRequested === true ? job.id : []));
    await storage.cancel({ jobIds: asked, isRunningIncluded: true });
  };
  return override(disguised, {
    cancel: async ({ jobIds, isRunningIncluded }) => {
      const results = await storage.cancel({ jobIds, isRunningIncluded: false });
      if (!isRunningIncluded) return results;
      for (const job of await storage.getJobs({ jobIds })) {
        if (job?.state === 'running') requested.set(job.id, `${job.workerId} ${job.startedAt}`);
      }
      return results.map((result) => {
        const isRunning = result.status === 'refused' && result.state === 'running';
        return isRunning ? { status: 'requested', state: 'running' } : result;
      });
    },
    extendLeases: async (params) => {
      const statuses = await storage.extendLeases(params);
      const jobs = await disguised.getJobs({ jobIds: params.leases.map(({ jobId }) => jobId) });
      return statuses.map((status, i) =>
        status === 'held' && jobs[i]?.isCancelRequested === true ? 'cancel_requested' : status,
      );
    },
    settle: async ({ settlements }) => {
      await pass(settlements.filter(isKept).map(({ lease }) => lease.jobId));
      return storage.settle({ settlements });
    },
    reclaimExpired: async (params) => {
      await pass([...requested.keys()]);
      return storage.reclaimExpired(params);
    },
  });
}
