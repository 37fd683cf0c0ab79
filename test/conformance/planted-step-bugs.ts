import type { Lease } from '../../src/core/job.ts';
import type { RecordStepsResult, StepRecording, StoredStep } from '../../src/core/step-operations.ts';
import type { NewJob, Storage } from '../../src/core/storage.ts';
import { disguiseJobs, override } from './override-storage.ts';
import type { PlantedBug } from './planted-bugs.ts';

const ALL = 1_000_000;

/** Mistakes that a storage could make with steps, children and signals. */
export const PLANTED_STEP_BUGS: Readonly<Record<string, PlantedBug>> = {
  'takes the steps of a worker that lost its lease': {
    plant: forgetRecordingFence,
    brokenRule: 'steps: a worker that lost its lease cannot record, though its lease may be late and still held',
    isSeenByModel: true,
  },
  'stores a repeated recording twice': {
    plant: (storage) =>
      changeRecordings(storage, async (recording) => {
        const count = await countSteps(storage, recording.lease.jobId);
        return { ...recording, from: Math.max(count, recording.from) };
      }),
    brokenRule: 'steps: answers the repeat of a recording as before, and stores nothing twice',
    isSeenByModel: true,
  },
  'takes steps that do not follow those that are there': {
    plant: (storage) =>
      changeRecordings(storage, async (recording) => {
        const count = await countSteps(storage, recording.lease.jobId);
        return { ...recording, from: Math.min(count, recording.from) };
      }),
    brokenRule: 'steps: refuses steps that do not follow those that are there',
    isSeenByModel: true,
  },
  'makes the children of a recording that came too late': {
    plant: makeLateChildren,
    brokenRule: 'steps: a worker whose attempt has ended cannot record',
    isSeenByModel: true,
  },
  'loses the steps of a job that failed': {
    plant: loseStepsOfFailed,
    brokenRule: 'steps: keeps steps whatever becomes of the job',
    isSeenByModel: true,
  },
  'makes a second child of a known key': {
    plant: dropChildKeys,
    brokenRule: 'children: gives the job that already has the key of a child, and makes none',
    isSeenByModel: true,
  },
  'forgets whose child a job is': {
    plant: (storage) => disguiseJobs(storage, (job) => ({ ...job, parentId: null })),
    brokenRule: 'children: makes a child as any job is made, but for its parent',
    isSeenByModel: true,
  },
  'lists all jobs for the children of one': {
    plant: (storage) => override(storage, { listJobs: (params) => storage.listJobs({ ...params, parentId: null }) }),
    brokenRule: 'children: lists the children of one job, by state and name',
    isSeenByModel: true,
  },
  'prunes the children of a job that goes on': {
    plant: pruneChildren,
    brokenRule: 'children: prunes no child of a job that goes on, and every one after it',
    isSeenByModel: true,
  },
  'prunes no child before its parent is gone': {
    plant: keepChildren,
    brokenRule: 'children: prunes no child of a job that goes on, and every one after it',
    isSeenByModel: false,
  },
  'keeps the steps of a pruned job': {
    plant: keepPrunedSteps,
    brokenRule: 'prune: forgets the steps and signals of a job, which a new one of its id does not have',
    isSeenByModel: true,
  },
  'stores the repeat of a signal twice': {
    plant: forgetSignalIds,
    brokenRule: 'signals: takes a known id for a repeat of the same call, which stores nothing',
    isSeenByModel: true,
  },
  'acknowledges signals to jobs that have finished': {
    plant: (storage) =>
      override(storage, {
        signal: async (params) =>
          (await storage.signal(params)).map((result) => (result.status === 'refused' ? { status: 'stored' } : result)),
      }),
    brokenRule: 'signals: refuses signals to jobs that have finished, but keeps what they were sent',
    isSeenByModel: true,
  },
  'gives signals in the order of their names': {
    plant: (storage) =>
      override(storage, {
        getSignals: async ({ jobId, from, limit }) => {
          const all = await storage.getSignals({ jobId, from: 0, limit: ALL });
          return all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(from, from + limit);
        },
      }),
    brokenRule: 'signals: stores signals in the order in which they were sent',
    isSeenByModel: true,
  },
  'gives a page of signals too late': {
    plant: (storage) =>
      override(storage, {
        getSignals: (params) => storage.getSignals({ ...params, from: params.from === 0 ? 0 : params.from + 1 }),
      }),
    brokenRule: 'signals: gives signals from a place, up to the limit',
    isSeenByModel: false,
  },
  'never hints at signals': {
    plant: (storage) =>
      override(storage, {
        watch: (listener) =>
          storage.watch((hint) => {
            if (hint.kind !== 'signals') listener(hint);
          }),
      }),
    brokenRule: 'signals: hints at the signals',
    isSeenByModel: false,
  },
};

async function countSteps(storage: Storage, jobId: string): Promise<number> {
  const [job] = await storage.getJobs({ jobIds: [jobId] });
  return job?.stepCount ?? 0;
}

/** Records something else than was asked for, one recording a call. */
function changeRecordings(storage: Storage, change: (recording: StepRecording) => Promise<StepRecording>): Storage {
  return override(storage, {
    recordSteps: async ({ recordings }) => {
      const results: RecordStepsResult[] = [];
      for (const recording of recordings) {
        results.push(...(await storage.recordSteps({ recordings: [await change(recording)] })));
      }
      return results;
    },
  });
}

function forgetRecordingFence(storage: Storage): Storage {
  const held = new Map<string, Lease>();
  const changed = changeRecordings(storage, async (recording) => {
    return { ...recording, lease: held.get(recording.lease.jobId) ?? recording.lease };
  });
  return override(changed, {
    claim: async (params) => {
      const result = await storage.claim(params);
      for (const { id, attempt } of result.jobs) held.set(id, { jobId: id, attempt, token: params.leaseToken });
      return result;
    },
  });
}

function makeLateChildren(storage: Storage): Storage {
  return override(storage, {
    recordSteps: async (params) => {
      const results = await storage.recordSteps(params);
      const late = params.recordings.filter((_, i) => results[i]?.status === 'lease_lost');
      await storage.enqueue({ jobs: late.flatMap(({ steps }) => steps.flatMap(({ child }) => child ?? [])) });
      return results;
    },
  });
}

function loseStepsOfFailed(storage: Storage): Storage {
  return override(storage, {
    getSteps: async (params) => {
      const [job] = await storage.getJobs({ jobIds: [params.jobId] });
      return job?.error == null ? storage.getSteps(params) : [];
    },
  });
}

function dropChildKeys(storage: Storage): Storage {
  const keys = new Map<string, string | null>();
  const disguised = disguiseJobs(storage, (job) => ({
    ...job,
    idempotencyKey: keys.get(job.id) ?? job.idempotencyKey,
  }));
  const dropKey = (child: NewJob): NewJob => {
    keys.set(child.id, child.idempotencyKey);
    return { ...child, idempotencyKey: null };
  };
  return override(disguised, {
    recordSteps: ({ recordings }) => {
      const changed = recordings.map((recording) => ({
        ...recording,
        steps: recording.steps.map(({ body, child }) => ({ body, child: child === null ? null : dropKey(child) })),
      }));
      return storage.recordSteps({ recordings: changed });
    },
  });
}

/** Stores children as jobs of nobody, and only says whose they are. */
function pruneChildren(storage: Storage): Storage {
  const parents = new Map<string, string>();
  const disguised = disguiseJobs(storage, (job) => ({ ...job, parentId: parents.get(job.id) ?? null }));
  const makeOrphans = async (recording: StepRecording): Promise<StepRecording> => {
    const { lease, from, steps } = recording;
    // Whether the recording will be stored is known once one without steps was.
    const count = await countSteps(storage, lease.jobId);
    const [probe] = await storage.recordSteps({ recordings: [{ lease, from: count, steps: [] }] });
    if (probe?.status === 'lease_lost' || from !== count) return recording;
    for (const { child } of steps) {
      if (child === null) continue;
      const [known] = await storage.getJobs({ jobIds: [child.id] });
      const [result] = await storage.enqueue({ jobs: [child] });
      if (known === null && result?.deduplicated === false) parents.set(child.id, lease.jobId);
    }
    return recording;
  };
  const changed = changeRecordings(disguised, makeOrphans);
  return override(changed, {
    listJobs: async (params) => {
      if (params.parentId === null) return disguised.listJobs(params);
      const all = await disguised.listJobs({ ...params, parentId: null, offset: 0, limit: ALL });
      const jobs = all.jobs.filter(({ parentId }) => parentId === params.parentId);
      return { jobs: jobs.slice(params.offset, params.offset + params.limit), total: jobs.length };
    },
  });
}

function keepChildren(storage: Storage): Storage {
  return override(storage, {
    prune: async (params) => {
      const { jobs } = await storage.listJobs({
        states: [params.state],
        names: null,
        parentId: null,
        limit: ALL,
        offset: 0,
        orderBy: 'createdAt',
        isAscending: true,
      });
      const parentIds = jobs.flatMap(({ parentId }) => parentId ?? []);
      const parents = await storage.getJobs({ jobIds: parentIds });
      const isBlocked = parents.some((parent) => parent !== null && parent.finishedAt !== null);
      return isBlocked ? { pruned: 0, hasMore: false } : storage.prune(params);
    },
  });
}

function keepPrunedSteps(storage: Storage): Storage {
  const recorded = new Map<string, StoredStep[]>();
  return override(storage, {
    recordSteps: async (params) => {
      const results = await storage.recordSteps(params);
      for (const { lease } of params.recordings) {
        const steps = await storage.getSteps({ jobId: lease.jobId, from: 0, limit: ALL });
        if (steps.length > 0) recorded.set(lease.jobId, steps);
      }
      return results;
    },
    getSteps: async ({ jobId, from, limit }) => (recorded.get(jobId) ?? []).slice(from, from + limit),
  });
}

function forgetSignalIds(storage: Storage): Storage {
  let count = 0;
  return override(storage, {
    signal: ({ signals }) =>
      storage.signal({ signals: signals.map((signal) => ({ ...signal, id: `${signal.id} ${++count}` })) }),
  });
}
